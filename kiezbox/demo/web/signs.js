// The signs of the page, drawn on 24 x 24, and the few helpers that make elements.

export const MODES = {
  normal: { name: "normal", shape: "M5.5 12.5l4.3 4.3 8.7-9.3" },
  emergency: { name: "emergency (WLAN open)", shape: "M4 10.2a11.5 11.5 0 0 1 16 0M7.2 13.8a7 7 0 0 1 9.6 0M11.9 18h.2" },
  saving: { name: "saving (battery low)", shape: "M4 8.5h13.5v7.5H4zM20 11v2.5M7 11v2.5" },
  dark: { name: "dark (battery critical)", shape: "M18.5 14.2A7.5 7.5 0 1 1 10 5.3a6 6 0 0 0 8.5 8.9z" },
  exercise: { name: "exercise", shape: "M4.5 10v4h3l6.5 3.8V6.2L7.5 10zM17 9.5a4 4 0 0 1 0 5" },
  maintenance: { name: "maintenance", shape: "M14.5 6a4 4 0 0 0-1 4.8L6 18.3l1.8 1.8 7.5-7.5a4 4 0 0 0 4.7-5l-2.4 2.4-2.2-.6-.6-2.2z" },
  silent: { name: "says nothing", shape: "M9 9.5a3 3 0 1 1 4.6 2.5c-1 .7-1.6 1.2-1.6 2.5M12 18h.1" },
  cut: { name: "uplink cut", shape: "M5 5l14 14M19 5L5 19", isBadge: true },
  fault: { name: "faults", shape: "M12 5v8.5M12 18.5h.1", isBadge: true },
};

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "circle", "path", "rect", "text", "polyline"]);

export function make(tag, attributes = {}, children = []) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function sign(key) {
  const kind = MODES[key].isBadge ? "badge-sign" : key;
  return make("svg", { class: `sign ${kind}`, viewBox: "0 0 24 24", "aria-hidden": "true" }, [
    make("circle", { cx: 12, cy: 12, r: 11 }),
    make("path", { d: MODES[key].shape, transform: "translate(3.6 3.6) scale(.7)" }),
  ]);
}

// The children of a list, made anew only when what they show has changed, so that a screen
// reader or a selection is not torn away every second.
export function fill(element, items, draw) {
  const state = JSON.stringify(items);
  if (element.dataset.state === state) return;
  element.dataset.state = state;
  element.replaceChildren(...items.map(draw));
}

export function modeOf(box) {
  const situation = box.situation;
  if (!situation || situation.state !== "active" || !(situation.mode in MODES)) return "silent";
  return situation.mode;
}
