(function () {
  "use strict";
  const section = document.getElementById("drivers");
  const source = document.getElementById("driver-data").textContent.trim() !== "";
  const input = document.getElementById("driver");
  const names = document.getElementById("driver-names");
  const picks = document.getElementById("driver-picks");
  const said = document.getElementById("driver-said");
  const told = document.getElementById("drivers-told");
  const page = document.getElementById("driver-page");
  const caption = document.getElementById("driver-caption");
  const phone = window.matchMedia("(max-width: 640px)");
  let data = null;
  let share = null;

  function make(tag, text, className) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  }

  function table(rows, className) {
    const body = make("tbody");
    for (const cells of rows) {
      const row = make("tr");
      cells.forEach((cell, k) => row.append(cell instanceof Node ? cell : make(k ? "td" : "th", cell)));
      body.append(row);
    }
    const whole = make("table", undefined, className);
    whole.append(body);
    const scroll = make("div", undefined, "scroll");
    scroll.append(whole);
    return scroll;
  }

  const minus = (text) => text.replace("-", "\u2212");
  const number = (value, digits) =>
    value === null || value === undefined
      ? "\u2013"
      : minus(value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  const percent = (value, digits) => (value === null || value === undefined ? "\u2013" : `${number(100 * value, digits)}\u202f%`);
  const small = (value) => {
    if (value === null || value === undefined) return "\u2013";
    const size = Math.abs(100 * value);
    return percent(value, size >= 0.01 || size === 0 ? 3 : 5);
  };

  function moneyRows(money) {
    const amount = (name) => `${minus(money[name])} ${data.currency}`;
    const fifth = money.covers_a_fifth ? "a fifth of what was paid, or more" : "less than a fifth of what was paid";
    const of = money.earned_share === null ? fifth : `${percent(money.earned_share, 0)}: ${fifth}`;
    return [
      ["Paid for charging", amount("paid")],
      ["Earned from discharging", amount("earned"), of],
      ["Battery wear", amount("wear")],
      ["Net cost", amount("net_cost")],
      ["At once, on the reference tariff", amount("reference_cost")],
      ["Saving", amount("saving"), money.saving_share === null ? "" : percent(money.saving_share, 0)],
    ].map(withNote);
  }

  function withNote([head, value, note]) {
    const first = make("th", head);
    if (note) first.append(make("small", note));
    return [first, value];
  }

  function batteryRows(stay) {
    const e = stay.energy;
    const b = stay.battery;
    const rows = [
      ["Into the car", `${number(e.charged_kwh, 1)} kWh`, "at the charger"],
      ["Back to the grid", `${number(e.discharged_kwh, 1)} kWh`, "at the charger"],
      ["Battery at arrival, at departure", `${number(e.arrival_kwh, 1)}, ${number(e.departure_kwh, 1)} kWh`],
      ["Lowest, kept above the reserve", `${number(e.lowest_kwh, 1)}, ${number(e.above_reserve_kwh, 1)} kWh`, `reserve ${number(e.reserve_kwh, 1)} of ${number(e.capacity_kwh, 0)} kWh`],
      ["Full cycles: driving, grid", `${number(b.equivalent_full_cycles_driving, 2)}, ${number(b.equivalent_full_cycles_v2g, 2)}`],
      ["Capacity lost: driving, grid", `${small(b.fade_driving)}, ${small(b.fade_v2g)}`],
    ];
    if (b.wear_nonlinear !== null && b.wear_nonlinear !== undefined) {
      rows.push(["Worth of what the grid took", `${number(b.wear_nonlinear, 2)} ${data.currency}`, "by the cell's model"]);
    }
    return rows.map(withNote);
  }

  function warranty(b) {
    if (b.warranty_kwh === null) return make("p", "No warranty is stated.", "note");
    const used = b.throughput_kwh / b.warranty_kwh;
    const part = make("p", `Warranty: ${number(b.throughput_kwh, 0)} of ${number(b.warranty_kwh, 0)} kWh drawn so far, ${percent(used, 1)}; this day's share of the grid ${small(b.warranty_v2g)}`, "note");
    const meter = make("span", undefined, "used");
    meter.style.setProperty("--w", `${Math.min(100 * used, 100)}%`);
    part.append(meter);
    return part;
  }

  function wishRows(wishes) {
    return wishes.flatMap(function ([title, asked, given, honoured, told]) {
      const colour = honoured ? "" : "bad";
      const verdict = make("td", honoured ? "\u2713 " : "\u2717 ", colour);
      verdict.append(make("span", honoured ? "honoured" : "not honoured", "long"));
      const row = [title, asked, given, verdict];
      if (!told) return [row];
      const words = make("td", told, `told ${colour}`);
      words.colSpan = 4;
      return [row, [words]];
    });
  }

  function stayPart(stay, alone) {
    const part = make("div");
    const takes = stay.part ? "takes part" : stay.declined ? "declined" : "does not take part";
    part.append(make("h3", `${alone ? "" : `${stay.session}: `}${stay.hub}, ${stay.from} to ${stay.to}; ${takes}`));
    const columns = make("div", undefined, "two");
    const left = make("div");
    const right = make("div");
    left.append(table(moneyRows(stay.money), "facts"));
    right.append(table(batteryRows(stay), "facts"), warranty(stay.battery));
    columns.append(left, right);
    part.append(columns, make("h3", "What was wished"), table([["", "asked", "given", ""].map((word) => make("th", word, "muted")), ...wishRows(stay.wishes)], "wishes"));
    if (stay.why.length) part.append(make("h3", "Why"), table(stay.why, "why"));
    const plot = make("div", undefined, "stay");
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", "Energy in the battery, power and prices over the stay");
    part.append(plot);
    return part;
  }

  function draw(plot, stay, prices) {
    const spec = JSON.parse(JSON.stringify(data.figure));
    const slots = spec.layout.xaxis.categoryarray.length - 2; // one out of sight at either end
    const [first, last] = stay.slots;
    const power = new Array(slots).fill(null);
    const energy = new Array(slots).fill(null);
    let slot = first;
    let level = stay.energy.arrival_kwh;
    for (let k = 0; k < stay.power.length; k += 2) {
      for (let n = 0; n < stay.power[k + 1]; n += 1, slot += 1) {
        const kw = stay.power[k];
        level += data.hours * (kw > 0 ? kw * stay.gain[0] : kw / stay.gain[1]);
        power[slot] = kw;
        energy[slot] = Math.round(level * 100) / 100;
      }
    }
    const during = (values) => values.map((value, t) => (t >= first && t < last ? value : null));
    // Steps begin in the middle of a slot: both ends once more reach the edges of the figure.
    const steps = (values) => [...values.slice(0, 1), ...values, ...values.slice(-1)];
    const [charge, discharge] = stay.part ? prices[stay.hub] : [data.reference, []];
    spec.data[0].y = energy;
    spec.data[1].y = during(new Array(slots).fill(stay.energy.reserve_kwh));
    spec.data[2].y = power.map((kw) => (kw > 0 ? kw : null));
    spec.data[2].customdata = charge;
    spec.data[3].y = power.map((kw) => (kw < 0 ? kw : null));
    spec.data[3].customdata = discharge;
    spec.data[4].y = steps(during(charge));
    spec.data[5].y = steps(during(discharge));
    const axis = spec.layout.xaxis;
    if (phone.matches) {
      axis.tickvals = axis.tickvals.filter((_, k) => k % 2 === 0);
      axis.ticktext = axis.ticktext.filter((_, k) => k % 2 === 0);
    }
    Plotly.react(plot, spec.data, spec.layout, { displayModeBar: false, responsive: true });
  }

  // How many letters differ, each put in, left out or changed.
  function distance(a, b) {
    let row = Array.from({ length: b.length + 1 }, (_, k) => k);
    for (let i = 1; i <= a.length; i += 1) {
      const next = [i];
      for (let k = 1; k <= b.length; k += 1) {
        next.push(Math.min(row[k] + 1, next[k - 1] + 1, row[k - 1] + (a[i - 1] === b[k - 1] ? 0 : 1)));
      }
      row = next;
    }
    return row[b.length];
  }

  function tell(text, near) {
    said.replaceChildren(text);
    for (const name of near || []) said.append(" ", button(name, name));
    said.hidden = !text;
  }

  function button(text, name) {
    const made = make("button", text);
    made.type = "button";
    made.addEventListener("click", () => choose(name));
    return made;
  }

  function show(name) {
    const here = data.at[share];
    const known = here && Object.hasOwn(here.drivers, name);
    page.hidden = caption.hidden = !known;
    if (!here) return tell("The plan folder of this participation holds no statements.");
    if (!known) {
      const near = Object.keys(here.drivers).sort((a, b) => distance(name, a) - distance(name, b));
      return tell(`No driver is called \u201c${name}\u201d. Near it:`, near.slice(0, 3));
    }
    tell("");
    const driver = here.drivers[name];
    const parts = driver.stays.map((stay) => stayPart(stay, driver.stays.length === 1));
    if (driver.total) {
      const together = make("div");
      together.append(make("h3", "Together"), table(moneyRows(driver.total), "facts"));
      parts.push(together);
    }
    page.querySelectorAll(".stay").forEach((plot) => Plotly.purge(plot));
    page.replaceChildren(make("p", driver.line, "headline"), ...parts);
    page.querySelectorAll(".stay").forEach((plot, k) => draw(plot, driver.stays[k], here.prices));
  }

  function choose(name) {
    input.value = name;
    show(name);
    const words = new URLSearchParams(window.location.hash.slice(1).split("&").slice(1).join("&"));
    const only = words.has("only") ? "&only" : "";
    history.replaceState(null, "", `#drivers&p=${share}${only}&driver=${encodeURIComponent(name)}`);
  }

  function asked() {
    return new URLSearchParams(window.location.hash.slice(1)).get("driver");
  }

  function offer() {
    const here = data.at[share];
    const options = Object.keys(here ? here.drivers : {}).map(function (name) {
      const option = make("option");
      option.value = name;
      return option;
    });
    names.replaceChildren(...options);
    picks.replaceChildren(...(here ? here.picks : []).map(([words, name]) => button(words, name)));
    told.replaceChildren(...(here ? here.told : []).map((words) => make("li", words)));
    told.parentElement.hidden = !told.children.length;
    const first = here && here.picks.length ? here.picks[0][1] : "";
    input.value = input.value || asked() || first;
    if (input.value) show(input.value);
  }

  document.addEventListener("participation", function (event) {
    share = event.detail;
    if (data) offer();
  });
  input.addEventListener("change", () => input.value && choose(input.value.trim()));
  window.addEventListener("hashchange", () => data && asked() && asked() !== input.value && choose(asked()));
  phone.addEventListener("change", () => data && input.value && show(input.value));

  section.hidden = !source;
  if (!source) return;
  unpacked("driver-data").then(
    function (found) {
      data = JSON.parse(found);
      offer();
    },
    () => tell("This browser cannot unpack the statements; the command hubwise statement gives each of them."),
  );
})();
