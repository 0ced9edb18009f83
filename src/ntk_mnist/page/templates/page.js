"use strict";
// The linked charts: what is chosen above them is set in each.
let explored;
const views = [];
// Of Vega's log.
const ERRORS_ALONE = 1;

function chosen() {
  const values = {};
  for (const select of document.querySelectorAll("[data-choice]")) {
    values[select.dataset.choice] = Number(select.value);
  }
  return values;
}

async function apply(view) {
  const values = chosen();
  for (const [name, value] of Object.entries(values)) {
    try { view.signal(`chosen_${name}`, value); } catch { /* The view does not depend on it. */ }
  }
  await view.runAsync();
}

// As the tables of a paper write it: an accuracy with three decimals.
const number = (value) => (explored.number === ".3f" ? value.toFixed(3) : String(Number(value.toPrecision(4))));

// The chosen cell in words, also for a reader who does not see the charts, and in print.
function describe() {
  const values = chosen();
  const own = (rows) => (rows || []).filter((row) => row.time === explored.last
    && Object.entries(values).every(([name, value]) => row[name] === undefined || row[name] === value));
  const words = [];
  const [network] = own(explored.rows.networks);
  if (network) {
    const interval = network.high > network.low ? ` (95 % interval ${number(network.low)} to ${number(network.high)})` : "";
    const runs = network.seeds === 1 ? explored.runs.slice(0, -1) : explored.runs;
    words.push(`networks ${number(network.value)}${interval}, ${network.seeds} ${runs}`);
    if (network.fitted !== null) words.push(`lowest train accuracy ${network.fitted.toFixed(3)}`);
    else if (network.train_error !== null) words.push(`largest train squared error ${Number(network.train_error.toPrecision(3))}`);
  } else if (explored.rows.networks) {
    words.push("no network of this width and size");
  }
  for (const limit of own(explored.rows.limits)) words.push(`${limit.label} ${number(limit.value)}`);
  const choice = [...document.querySelectorAll("[data-choice]")].map((select) =>
    (select.dataset.choice === "architecture" ? "" : `${select.labels[0].textContent.trim().toLowerCase()} `)
    + select.selectedOptions[0].textContent);
  document.getElementById("chosen").textContent =
    `${choice.join(", ")}. ${explored.title} at ${explored.at}: ${words.join("; ")}.`;
}

// Offer the widths and sizes that the chosen architecture has.
function offer() {
  const { architecture } = chosen();
  const rows = Object.values(explored.rows).flat().filter((row) => row.architecture === architecture);
  for (const select of document.querySelectorAll("[data-choice]:not([data-choice='architecture'])")) {
    const has = new Set(rows.map((row) => row[select.dataset.choice]));
    for (const option of select.options) option.disabled = !has.has(Number(option.value));
    if (select.selectedOptions[0].disabled) {
      const last = [...select.options].filter((option) => !option.disabled).at(-1);
      if (last) select.value = last.value;
    }
  }
}

async function choose() {
  offer();
  describe();
  await Promise.all(views.filter(Boolean).map(apply));
  document.documentElement.dataset.chosen = JSON.stringify(chosen());
}

// A click on a point chooses its width and size.
function choosePoint(_, item) {
  if (!item || !item.datum) return;
  let changed = false;
  for (const select of document.querySelectorAll("[data-choice]")) {
    const value = item.datum[select.dataset.choice];
    if (value !== undefined && [...select.options].some((option) => Number(option.value) === value)) {
      select.value = value;
      changed = true;
    }
  }
  if (changed) choose();
}

async function explore() {
  explored = await jsonOf("explorer");
  offer();
  for (const [i, place] of [...document.querySelectorAll("[data-view]")].entries()) {
    const specification = explored.views[i];
    const datasets = { ...specification.datasets, ...explored.rows };
    // A function, as the chart is drawn again with what is chosen by then.
    const now = () => {
      const values = chosen();
      const params = specification.params.map(({ name }) => ({ name, value: values[name.slice("chosen_".length)] }));
      return { layouts: [{ ...specification, params }], datasets };
    };
    await show(place, now, ({ view }) => {
      views[i] = view;
      view.addEventListener("click", choosePoint);
      // An architecture need not have networks, and then a chart warns of empty scales.
    }, { logLevel: ERRORS_ALONE });
  }
  for (const select of document.querySelectorAll("[data-choice]")) select.addEventListener("change", choose);
  await choose();
}

for (const button of document.querySelectorAll("[data-download]")) {
  button.addEventListener("click", async () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await contentOf(document.getElementById(button.dataset.download)));
    link.download = button.dataset.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
}

const THEMES = { auto: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" };
const themes = document.getElementById("theme");
themes.addEventListener("click", () => {
  const names = Object.keys(THEMES);
  const next = names[(names.indexOf(themes.dataset.theme) + 1) % names.length];
  themes.dataset.theme = next;
  themes.textContent = THEMES[next];
  if (next === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
});

explore().then(showAll);
