"use strict";
// Charts take the width of their place: panels are made wider or narrower, and stacked where they
// would become too small. Text keeps its size.
const NARROWEST = 150, WIDEST = 640, BESIDE = 62, GAP = 10;
const EMBED = { renderer: "svg", actions: { export: true, source: false, compiled: false, editor: false } };

const childrenOf = (node) => node.hconcat || node.vconcat || node.concat || null;

function leastWidth(node) {
  const children = childrenOf(node);
  if (!children) {
    const natural = (node.spec || node).width || 300;
    return Math.min(natural, NARROWEST) + BESIDE;
  }
  const widths = children.map(leastWidth);
  return node.hconcat ? widths.reduce((a, b) => a + b, GAP * (widths.length - 1)) : Math.max(...widths);
}

// A panel that is to be square stays so; another grows higher as it grows wider, but less.
function resize({ panel, width, height }, wanted) {
  panel.width = Math.round(Math.max(Math.min(width, 56), Math.min(wanted, WIDEST)));
  const growth = panel.width / width;
  if (typeof height === "number") {
    panel.height = Math.round(height * (height === width ? growth : Math.max(1, Math.min(1.6, Math.sqrt(growth)))));
  }
}

function arrange(node, available, panels) {
  const children = childrenOf(node);
  if (!children) {
    const panel = node.spec || node;
    if (typeof panel.width !== "number") return;
    panels.push({ panel, width: panel.width, height: panel.height });
    resize(panels.at(-1), available - BESIDE);
  } else if (node.hconcat) {
    const least = children.map(leastWidth);
    const sum = least.reduce((a, b) => a + b, GAP * (least.length - 1));
    if (sum > available) {
      const columns = Math.max(1, Math.min(children.length, Math.floor((available + GAP) / (Math.max(...least) + GAP))));
      node.concat = node.hconcat;
      node.columns = columns;
      // Below a panel that stood beside another, its axis needs room.
      node.bounds = "full";
      node.spacing = 18;
      delete node.hconcat;
      children.forEach((child) => arrange(child, available / columns - GAP, panels));
    } else {
      const share = (available - GAP * (children.length - 1)) / (sum - GAP * (children.length - 1));
      children.forEach((child, i) => arrange(child, least[i] * share, panels));
    }
  } else {
    children.forEach((child) => arrange(child, available, panels));
  }
}

function shortenLegends(node, columns) {
  if (Array.isArray(node)) node.forEach((one) => shortenLegends(one, columns));
  else if (node && typeof node === "object") {
    for (const [key, value] of Object.entries(node)) {
      if (key === "legend" && value && value.columns > columns) value.columns = columns;
      if (key !== "datasets" && key !== "data") shortenLegends(value, columns);
    }
  }
}

// Of a chart's layouts, the widest that has room.
function layoutFor({ layouts, datasets }, available) {
  const naturalWidth = (node) => {
    const children = childrenOf(node);
    if (!children) return ((node.spec || node).width || 300) + BESIDE;
    const widths = children.map(naturalWidth);
    const columns = node.hconcat ? widths.length : node.concat ? node.columns || widths.length : 1;
    let widest = 0;
    for (let i = 0; i < widths.length; i += columns) {
      widest = Math.max(widest, widths.slice(i, i + columns).reduce((a, b) => a + b, 0));
    }
    return widest;
  };
  const chosen = layouts.find((layout) => naturalWidth(layout) < 1.2 * available) || layouts.at(-1);
  return { ...chosen, datasets };
}

async function draw(place, drawnFor, options) {
  const available = Math.max(place.clientWidth, 240);
  const fitted = structuredClone(layoutFor(drawnFor, available));
  const panels = [];
  fitted.background = null;
  delete fitted.title;
  arrange(fitted, available, panels);
  shortenLegends(fitted, Math.max(2, Math.floor(available / 110)));
  let drawn = await vegaEmbed(place, fitted, { ...EMBED, ...options });
  // What stands beside the panels is known only when they are drawn.
  for (let tries = 0; tries < 3; tries++) {
    const width = Number(place.querySelector("svg.marks").getAttribute("width"));
    const widest = panels.every(({ panel }) => panel.width >= WIDEST);
    if (width <= available && (width > 0.93 * available || widest)) break;
    const factor = Math.min(available / width, 1.5);
    panels.forEach((one) => resize(one, one.panel.width * factor - (factor < 1 ? 8 : 0)));
    drawn.finalize();
    drawn = await vegaEmbed(place, fitted, { ...EMBED, ...options });
  }
  const menu = place.querySelector("summary");
  if (menu) menu.setAttribute("aria-label", "Save this chart");
  // Marks without words of their own, such as lines for comparison, are decoration.
  for (const mark of place.querySelectorAll('[role="graphics-symbol"]:not([aria-label])')) {
    mark.removeAttribute("role");
    mark.setAttribute("aria-hidden", "true");
  }
  place.drawnWidth = place.clientWidth;
  return drawn;
}

// Draw once, and again when the width of the place changes.
async function show(place, specification, ready = () => {}, options = {}) {
  const current = typeof specification === "function" ? specification : () => specification;
  let drawn = await draw(place, current(), options);
  ready(drawn);
  let waiting = 0;
  new ResizeObserver(() => {
    if (Math.abs(place.clientWidth - place.drawnWidth) < 12) return;
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      drawn.finalize();
      drawn = await draw(place, current(), options);
      ready(drawn);
    }, 200);
  }).observe(place);
}

// The content of an element: text, or bytes in base64 that may be compressed.
async function contentOf(element) {
  if (element.type === "application/json") return new Blob([element.textContent]);
  const bytes = Uint8Array.from(atob(element.textContent.trim()), (character) => character.charCodeAt(0));
  if (element.dataset.encoding !== "gzip") return new Blob([bytes]);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).blob();
}

const jsonOf = async (id) => JSON.parse(await (await contentOf(document.getElementById(id))).text());

async function showAll() {
  for (const place of document.querySelectorAll("[data-chart]")) {
    await show(place, await jsonOf(place.dataset.chart));
  }
  document.documentElement.dataset.drawn = "true";
}
