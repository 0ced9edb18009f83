"use strict";
// The linked charts: what is chosen above them is set in each.
let explored;
const views = [];

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

const number = (value) => value.toLocaleString("en", { maximumSignificantDigits: 4 });

// The chosen cell in words, also for a reader who does not see the charts.
function describe() {
  const values = chosen();
  const own = (rows) => (rows || []).filter((row) =>
    Object.entries(values).every(([name, value]) => row[name] === undefined || row[name] === value));
  const words = [];
  const latest = (rows) => {
    const last = Math.max(...rows.map((row) => row.time));
    return rows.filter((row) => row.time === last);
  };
  const networks = own(explored.rows.networks);
  if (networks.length) {
    const [row] = latest(networks);
    const interval = row.high > row.low ? ` (95 % interval ${number(row.low)} to ${number(row.high)})` : "";
    words.push(`networks ${number(row.value)}${interval}, ${row.seeds} ${row.seeds === 1 ? "seed" : "seeds"}`);
    if (row.fitted !== null) words.push(`lowest train accuracy ${number(row.fitted)}`);
  } else if (explored.rows.networks) {
    words.push("no network of this width and size");
  }
  const limits = own(explored.rows.limits);
  if (limits.length) {
    for (const row of latest(limits)) words.push(`${row.label} ${number(row.value)}`);
  }
  document.getElementById("chosen").textContent = `${explored.score}: ${words.join("; ")}.`;
}

async function choose() {
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
    });
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
