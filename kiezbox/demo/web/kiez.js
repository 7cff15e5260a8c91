// The plan and what belongs to all boxes; panel.js shows the chosen one. The page asks
// /kiez.json once a second, and throws switches with POST /switch.
import { MODES, fill, make, modeOf, sign } from "./signs.js";
import { Panel } from "./panel.js";

// As written in plan.svg: 1200 units are 900 m around this place.
const PLAN = { width: 1200, height: 800, unitsPerMetre: 4 / 3, latitude: 51.163, longitude: 10.448 };
const METRES_PER_DEGREE = { latitude: 111320, longitude: 69800 };
const ASK_EVERY_MS = 1000;

const byId = (id) => document.getElementById(id);
const markers = new Map();
const tabs = new Map();
let blocks = [];
let chosen = null;
let newest = null;
let lastModes = {};

const panel = new Panel(throwSwitch);

async function throwSwitch(name, box, value) {
  const answer = await fetch("/switch", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ switch: name, box, value }),
  });
  if (!answer.ok) say((await answer.json()).error);
  else if (name === "flicker") say("The grid was gone for half a second. The box does not act on that.");
  await ask();
}

let silence;

// Shown at the lower edge for a while, and read out by screen readers.
function say(text) {
  byId("live").textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => byId("live").replaceChildren(), 5000);
}

function choose(id) {
  chosen = id;
  if (newest) show(newest);
  ask();
}

// --- the plan -----------------------------------------------------------------------------

function project(latitude, longitude) {
  const east = (longitude - PLAN.longitude) * METRES_PER_DEGREE.longitude;
  const north = (latitude - PLAN.latitude) * METRES_PER_DEGREE.latitude;
  return [
    PLAN.width / 2 + east * PLAN.unitsPerMetre,
    PLAN.height / 2 - north * PLAN.unitsPerMetre,
  ];
}

async function drawPlan() {
  const text = await (await fetch("/plan.svg")).text();
  const drawing = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  drawing.removeAttribute("aria-hidden");
  drawing.setAttribute("role", "group");
  drawing.setAttribute("aria-label", "Boxes on the plan");
  byId("plan").replaceChildren(document.importNode(drawing, true));
  blocks = [...document.querySelectorAll(".block")].map((element) => ({
    element,
    x: Number(element.dataset.x),
    y: Number(element.dataset.y),
  }));
  new ResizeObserver(scaleMarkers).observe(byId("plan"));
}

function scaleMarkers() {
  // On a phone the plan is a third as wide; what a finger must hit stays as large.
  const k = Math.max(1, 700 / byId("plan").clientWidth);
  for (const { inner } of markers.values()) inner.setAttribute("transform", `scale(${k.toFixed(2)})`);
}

function addBox(box) {
  // The plan is drawn from what the box itself says in its situation.geojson.
  const [x, y] = project(box.latitude, box.longitude);
  const icon = make("path", { class: "icon", transform: "translate(-12 -12)" });
  const badge = (where, shape) =>
    make("g", { class: "badge", transform: where }, [
      make("circle", { r: 10 }),
      make("path", { d: shape, transform: "translate(-7.2 -7.2) scale(.6)" }),
    ]);
  const uplink = badge("translate(19 -17)", MODES.cut.shape);
  const fault = badge("translate(-19 -17)", MODES.fault.shape);
  const inner = make("g", {}, [
    make("circle", { class: "halo", r: 22 }),
    make("circle", { class: "halo", r: 22 }),
    make("circle", { class: "ring", r: 25 }),
    make("circle", { class: "disc", r: 20 }),
    icon,
    uplink,
    fault,
    make("rect", { class: "plate", y: 29, height: 22, rx: 11, x: -5.2 * box.name.length - 6, width: 10.4 * box.name.length + 12 }),
    make("text", { y: 45 }, [box.name]),
  ]);
  const group = make("g", { class: "box", tabindex: 0, role: "button", transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` }, [inner]);
  group.addEventListener("click", () => choose(box.id));
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose(box.id);
  });
  document.querySelector("#plan svg").append(group);
  markers.set(box.id, { group, inner, icon, uplink, fault, x, y });

  const tab = make("button", { type: "button" });
  tab.addEventListener("click", () => choose(box.id));
  byId("tabs").append(tab);
  tabs.set(box.id, tab);

  for (const block of blocks) {
    const distance = Math.hypot(block.x - x, block.y - y);
    if (block.distance === undefined || distance < block.distance) {
      block.distance = distance;
      block.box = box.id;
    }
  }
  scaleMarkers();
}

function showBox(box) {
  const mode = modeOf(box);
  const { group, icon, uplink, fault } = markers.get(box.id);
  const faults = box.situation?.faults?.length ?? 0;
  group.setAttribute("class", ["box", mode, box.is_open && "open", box.id === chosen && "selected"].filter(Boolean).join(" "));
  group.setAttribute("aria-pressed", box.id === chosen);
  group.setAttribute("aria-label", [
    box.name, MODES[mode].name, box.has_grid ? "" : "grid cut",
    box.has_uplink ? "" : "uplink cut", faults ? `${faults} faults` : "",
  ].filter(Boolean).join(", "));
  icon.setAttribute("d", MODES[mode].shape);
  uplink.classList.toggle("on", !box.has_uplink);
  fault.classList.toggle("on", faults > 0);
  const tab = tabs.get(box.id);
  const words = `${box.name}|${mode}`;
  if (tab.dataset.words !== words) {
    tab.dataset.words = words;
    tab.replaceChildren(sign(mode), box.name);
  }
  tab.setAttribute("aria-pressed", box.id === chosen);
}

// --- everything ---------------------------------------------------------------------------

function show(kiez) {
  newest = kiez;
  for (const box of kiez.boxes) {
    if (!markers.has(box.id)) addBox(box);
  }
  chosen ??= kiez.boxes[0].id;
  for (const box of kiez.boxes) {
    showBox(box);
    announce(box);
  }
  const cut = new Set(kiez.boxes.filter((box) => !box.has_grid).map((box) => box.id));
  for (const block of blocks) block.element.classList.toggle("off", cut.has(block.box));
  showAll("all-grid", kiez.boxes.every((box) => !box.has_grid), "Cut the grid everywhere", "Bring the grid back everywhere");
  showAll("all-uplink", kiez.boxes.every((box) => !box.has_uplink), "Cut every uplink", "Restore every uplink");
  const speed = kiez.speed === 1 ? "" : ` Time runs ${kiez.speed} times as fast.`;
  byId("air").textContent = `Air: ${kiez.air}. Broker: ${kiez.broker}.${speed} ${kiez.left_out}`;
  byId("helper").textContent =
    `To play a helper: in a box's phone open Help, and at its foot the page for helpers. Number ${kiez.helper.number}, code “${kiez.helper.code}”, once on each box.`;
  fill(byId("shortened"), kiez.shortened, (row) => make("tr", {}, row.map((cell) => make("td", {}, [cell]))));
  panel.show(kiez, kiez.boxes.find((box) => box.id === chosen) ?? kiez.boxes[0]);
}

function showAll(id, isCut, cut, restore) {
  const button = byId(id);
  button.textContent = isCut ? restore : cut;
  button.classList.toggle("undo", isCut);
  button.dataset.value = isCut;
}

function announce(box) {
  const mode = modeOf(box);
  if (lastModes[box.id] && lastModes[box.id] !== mode) say(`${box.name}: ${MODES[mode].name}`);
  lastModes[box.id] = mode;
}

async function ask() {
  try {
    const where = chosen ? `?box=${encodeURIComponent(chosen)}` : "";
    const answer = await fetch(`/kiez.json${where}`);
    show(await answer.json());
    byId("gone").hidden = true;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    byId("gone").hidden = false;
  }
}

async function main() {
  for (const name of ["grid", "uplink"]) {
    const button = byId(`all-${name}`);
    button.addEventListener("click", () => throwSwitch(name, "*", button.dataset.value === "true"));
  }
  fill(byId("legend"), Object.entries(MODES), ([key, mode]) => make("li", {}, [sign(key), mode.name]));
  await drawPlan();
  for (;;) {
    await ask();
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}

main();
