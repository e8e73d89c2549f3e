// What changes by itself: texts by their name, the page anew where more has changed; and a chart
// that says each slot in words, by finger and by arrow key. Without this module nothing is missing
// but that.

const LATE = 40_000; // a stream says something every 15 s

/** @param {HTMLElement} page */
function readChart(page) {
  for (const chart of page.querySelectorAll("[data-chart]")) {
    const slots = [...chart.querySelectorAll("[data-say]")];
    const said = chart.parentElement.querySelector("[data-said]");
    let at = -1;
    const choose = (next) => {
      slots[at]?.classList.remove("chosen");
      at = Math.min(Math.max(next, 0), slots.length - 1);
      slots[at].classList.add("chosen");
      said.textContent = slots[at].getAttribute("data-say");
    };
    chart.addEventListener("click", (event) => {
      const found = slots.indexOf(event.target.closest("[data-say]"));
      if (found >= 0) choose(found);
    });
    chart.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, Home: -slots.length, End: slots.length }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      choose(at + step);
    });
  }
}

/** The page as the server draws it now; what stands open or is being filled in is left alone. */
async function drawAnew() {
  const page = document.getElementById("page");
  if (page.contains(document.activeElement) && document.activeElement.matches("input, select, button, summary")) return false;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) { location.reload(); return false; }
  const text = await answer.text();
  const drawn = new DOMParser().parseFromString(text, "text/html").getElementById("page");
  const open = [...page.querySelectorAll("details")].map((each) => each.open);
  [...drawn.querySelectorAll("details")].forEach((each, k) => { if (open[k] !== undefined) each.open = open[k]; });
  page.replaceChildren(...drawn.childNodes);
  readChart(page);
  return true;
}

/** @param {HTMLElement} page */
function follow(page) {
  let stream, drawn, heardAt = Date.now(), figuresAt = "";
  const banner = () => page.querySelector("[data-banner]");
  const lost = (is) => {
    const shown = banner();
    if (!shown || shown.hidden === !is) return;
    shown.hidden = !is;
    shown.textContent = is ? page.dataset.lost.replace("{time}", figuresAt) : "";
  };
  const take = async (event) => {
    const said = JSON.parse(event.data);
    figuresAt = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    for (const each of page.querySelectorAll("[data-live]")) {
      const text = said.texts[each.dataset.live];
      if (text !== undefined && each.textContent !== text) each.textContent = text;
    }
    if (drawn === undefined || (said.page !== drawn && (await drawAnew()))) drawn = said.page;
  };
  const open = () => {
    stream = new EventSource(page.dataset.stream);
    stream.onmessage = (event) => { heardAt = Date.now(); lost(false); take(event); };
    stream.onopen = () => { heardAt = Date.now(); lost(false); };
    stream.onerror = () => {
      lost(true);
      if (stream.readyState === EventSource.CLOSED) setTimeout(open, 2000 + 2000 * Math.random());
    };
  };
  figuresAt = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  open();
  addEventListener("offline", () => lost(true));
  document.addEventListener("visibilitychange", () => {
    stream.close();
    if (!document.hidden) open();
  });
  setInterval(() => { if (!document.hidden && Date.now() - heardAt > LATE) lost(true); }, 5000);
}

const page = document.getElementById("page");
readChart(page);
if (page.dataset.stream) follow(page);
