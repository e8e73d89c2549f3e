(async function () {
  "use strict";
  const plots = Array.from(document.querySelectorAll("[data-figure]"));
  let figures = null;
  try {
    figures = JSON.parse(await unpacked("figure-data"));
    const drawing = document.createElement("script");
    drawing.textContent = await unpacked("plotly-data");
    document.head.append(drawing);
  } catch (error) {
    plots.forEach((plot) => plot.classList.add("old"));
    return;
  }
  const buttons = Array.from(document.querySelectorAll("[data-share]"));
  const config = { displayModeBar: false, responsive: true };
  const phone = window.matchMedia("(max-width: 640px)");
  let share = document.body.dataset.share || figures.share;

  function swatch(trace) {
    const filled = trace.type === "bar" || Boolean(trace.stackgroup || trace.fill);
    const line = trace.line || {};
    const colour = filled ? trace.fillcolor || trace.marker.color : line.color;
    const dash = { dash: "7 4", dot: "2 3", dashdot: "7 3 2 3", longdash: "10 3" }[line.dash] || "";
    const mark = filled
      ? `<rect width="12" height="12" x="5" y="0" rx="2" fill="${colour}"/>`
      : `<path d="M0 6H22" stroke="${colour}" stroke-width="${Math.max(line.width || 2, 2)}" stroke-dasharray="${dash}"/>`;
    return `<svg width="22" height="12" aria-hidden="true">${mark}</svg>`;
  }

  // Traces of one legend group are shown and hidden together.
  function together(traces, index) {
    const group = traces[index].legendgroup;
    return traces.flatMap((trace, k) => (k === index || (group && trace.legendgroup === group) ? [k] : []));
  }

  function legend(plot, spec) {
    const place = plot.parentElement.querySelector(".names");
    if (!place) return;
    place.replaceChildren();
    spec.data.forEach(function (trace, index) {
      if (trace.showlegend === false) return;
      const entry = document.createElement("button");
      entry.type = "button";
      entry.title = "Show or hide";
      entry.setAttribute("aria-pressed", "true");
      entry.innerHTML = swatch(trace);
      entry.append(trace.name);
      entry.addEventListener("click", function () {
        const show = entry.getAttribute("aria-pressed") !== "true";
        entry.setAttribute("aria-pressed", String(show));
        Plotly.restyle(plot, { visible: show }, together(spec.data, index));
      });
      place.append(entry);
    });
  }

  // On a phone every second tick is enough, the first and the last among them.
  function fitted(spec) {
    const copy = JSON.parse(JSON.stringify(spec));
    const axis = copy.layout.xaxis;
    if (phone.matches && axis.tickvals && axis.tickvals.length > 5) {
      const last = axis.tickvals.length - 1;
      const kept = (_, k) => k === 0 || (k > 1 && (last - k) % 2 === 0);
      axis.tickvals = axis.tickvals.filter(kept);
      axis.ticktext = axis.ticktext.filter(kept);
    }
    return copy;
  }

  function draw(plot) {
    const name = plot.dataset.figure;
    const spec = (figures.at[share] || {})[name] || figures.all[name];
    plot.classList.toggle("none", !spec);
    if (!spec) {
      Plotly.purge(plot);
      const place = plot.parentElement.querySelector(".names");
      if (place) place.replaceChildren();
      return;
    }
    const copy = fitted(spec);
    Plotly.react(plot, copy.data, copy.layout, config);
    legend(plot, copy);
  }

  function show() {
    document.querySelectorAll("[data-at]").forEach(function (part) {
      part.hidden = part.dataset.at !== share;
    });
    buttons.forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.dataset.share === share));
    });
    plots.forEach(draw);
    document.dispatchEvent(new CustomEvent("participation", { detail: share }));
  }

  // The address keeps section and participation, #feeder&p=0.8; with &only nothing else is shown.
  function address() {
    const [section, ...rest] = window.location.hash.slice(1).split("&");
    const words = new URLSearchParams(rest.join("&"));
    const asked = words.get("p");
    return {
      section: section,
      driver: words.get("driver"),
      share: asked !== null && asked in figures.at ? asked : null,
      only: words.has("only"),
    };
  }

  function keep(section, only) {
    const driver = section === "drivers" ? address().driver : null;
    const whose = driver === null ? "" : `&driver=${encodeURIComponent(driver)}`;
    history.replaceState(null, "", `#${section}&p=${share}${only ? "&only" : ""}${whose}`);
  }

  function follow() {
    const { section, share: asked, only } = address();
    if (asked !== null && asked !== share) {
      share = asked;
      show();
    }
    const target = section && document.getElementById(section);
    document.body.classList.toggle("only", Boolean(target && only));
    document.querySelectorAll("section").forEach((part) => part.classList.toggle("shown", part === target));
    if (target) target.scrollIntoView();
    if (target || asked !== null) keep(section, only);
  }

  buttons.forEach(function (button) {
    button.addEventListener("click", function () {
      share = button.dataset.share;
      show();
      keep(address().section || "overview", address().only);
    });
  });
  window.addEventListener("hashchange", follow);
  phone.addEventListener("change", show);
  window.addEventListener("beforeprint", () => plots.forEach((plot) => plot.data && Plotly.relayout(plot, { width: 640 })));
  window.addEventListener("afterprint", () => plots.forEach((plot) => plot.data && Plotly.relayout(plot, { width: null, autosize: true })));

  share = address().share || share;
  show();
  follow();
})();
