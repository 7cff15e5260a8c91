// The chosen box: what it knows, its switches, and a phone in front of it.
import { MODES, fill, make, modeOf, sign } from "./signs.js";

const MEANING = {
  normal: "Measures and publishes. No WLAN in the street.",
  emergency: "The WLAN is open; phones nearby see the box's page.",
  saving: "Spends less. The WLAN stays open only if there is a cause.",
  dark: "Watches the grid and keeps its memory; everything else is off.",
  exercise: "A drill: all as in an emergency, and marked as one.",
  maintenance: "Radios are quiet, readings are marked.",
  silent: "Its node does not run just now.",
};
const CAUSES = {
  grid_lost: "The grid is lost", operator: "The operator says so", remote_order: "The city says so",
  official_warning: "Official warning", uplink_lost: "Uplink lost for long", sensor_threshold: "A sensor's alarm",
};
const GRID = {
  present: "there", bridging: "gone a moment ago: perhaps only a flicker", lost: "lost",
  returning: "back, but not yet trusted", unknown: "unknown (never counts as an emergency)",
};
const SERIES = [
  ["air/temperature_c", "Temperature", "°C", 1], ["air/humidity_percent", "Humidity", "%", 0],
  ["air/pressure_hpa", "Air pressure", "hPa", 1], ["street/pm2_5_ug_m3", "Fine dust PM2.5", "µg/m³", 1],
  ["street/pm10_ug_m3", "Dust PM10", "µg/m³", 1], ["battery/voltage_v", "Battery", "V", 2],
  ["battery/current_a", "Battery", "A", 2], ["battery/power_w", "Battery", "W", 1],
];
const byId = (id) => document.getElementById(id);

export class Panel {
  constructor(throwSwitch) {
    this.throwSwitch = throwSwitch;
    this.box = null;
    this.switches = this.makeSwitches();
    this.parts = new Map();
  }

  show(kiez, box) {
    this.box = box;
    const situation = box.situation ?? {};
    const mode = modeOf(box);
    byId("panel").querySelector(".state").className = `card state ${mode}`;
    byId("box-name").textContent = box.name;
    byId("box-id").textContent = box.id;
    fill(byId("mode"), [mode, ago(kiez.now, situation.since)], (part, n) => (n ? make("small", {}, [part]) : modeSign(part)));
    byId("meaning").textContent = MEANING[mode];
    fill(byId("causes"), situation.causes ?? [], (cause) =>
      make("li", {}, [`${CAUSES[cause.cause] ?? cause.cause}, since ${clock(cause.since)}`]));
    this.showCount(kiez, situation);
    this.showFacts(kiez, box, situation);
    this.showSwitches(kiez, box);
    this.showWay(box, situation);
    this.showReadings(kiez, situation);
    fill(byId("faults"), situation.faults?.length ? situation.faults : [null], drawFault);
    this.showPhone(kiez, box, mode);
  }

  // What the box is waiting for, and how long still.
  showCount(kiez, situation) {
    const waits = [];
    const since = (kiez.now - Date.parse(situation.grid?.since) / 1000) || 0;
    const left = (limit) => Math.max(0, Math.ceil(limit - since));
    if (situation.grid?.state === "bridging") waits.push(`Grid gone: it counts as lost in ${left(kiez.times.bridge_s)} s, if it stays away.`);
    if (situation.grid?.state === "returning") waits.push(`Grid back: believed in ${left(kiez.times.return_hold_s)} s, if it stays.`);
    if (situation.wanted && situation.wanted !== situation.mode) {
      const when = situation.wanted_in_s ? ` in ${Math.ceil(situation.wanted_in_s)} s: the WLAN must not come and go` : " soon";
      waits.push(`Wants to be “${situation.wanted}”${when}.`);
    }
    byId("count").hidden = waits.length === 0;
    byId("count").textContent = waits.join(" ");
  }

  showFacts(kiez, box, situation) {
    const grid = situation.grid?.state ?? "unknown";
    set(byId("grid"), GRID[grid] ?? grid, grid === "present" ? "ok" : "warn");
    const battery = situation.battery;
    const known = battery && battery.charge_percent_high - battery.charge_percent_low <= 60;
    const band = battery ? `${Math.round(battery.charge_percent_low)} to ${Math.round(battery.charge_percent_high)} %` : "";
    const hours = battery?.hours_left_low != null ? `, ${timeLeft(battery)}` : "";
    set(byId("battery"), !battery ? "not known" : known ? `${battery.stage}, ${band}${hours}` : "does not know yet how full",
      ["low", "critical"].includes(battery?.stage) ? "warn" : "");
    const low = battery ? battery.charge_percent_low : 0;
    const high = battery ? battery.charge_percent_high : 0;
    byId("gauge-low").style.width = `${low}%`;
    byId("gauge-band").style.left = `${low}%`;
    byId("gauge-band").style.width = `${high - low}%`;
    byId("gauge").setAttribute("aria-label", band ? `Charge between ${band}` : "Charge not known");
    const restarts = box.node.restarts ? `; ${box.node.last_end}, restarted ${times(box.node.restarts)}` : "";
    set(byId("node"), box.node.pid ? `process ${box.node.pid}${restarts}` : `${box.node.last_end}; comes back by itself`, box.node.pid ? "" : "warn");
  }

  // --- switches ---------------------------------------------------------------------------

  makeSwitches() {
    const press = (name, value) => () => this.throwSwitch(name, this.box.id, value());
    const button = (attributes, words, note, on) => {
      const element = make("button", { type: "button", ...attributes }, [make("span", {}, [words, make("small", {}, [note])])]);
      element.addEventListener("click", on);
      byId("switches").append(element);
      return element;
    };
    return {
      grid: button({ role: "switch" }, "Grid", "plug in the wall", press("grid", () => !this.box.has_grid)),
      uplink: button({ role: "switch" }, "Uplink", "to the broker", press("uplink", () => !this.box.has_uplink)),
      drain: button({}, "Drain battery", "3 A out of it", press("battery", () => (this.box.battery_forced === "drain" ? null : "drain"))),
      charge: button({}, "Charge battery", "3 A into it", press("battery", () => (this.box.battery_forced === "charge" ? null : "charge"))),
      flicker: button({}, "Flicker", "grid gone for ½ s", press("flicker", () => null)),
      kill: button({}, "Kill the node", "kill -9", press("kill", () => null)),
    };
  }

  showSwitches(kiez, box) {
    this.switches.grid.setAttribute("aria-checked", box.has_grid);
    this.switches.uplink.setAttribute("aria-checked", box.has_uplink);
    this.switches.drain.setAttribute("aria-pressed", box.battery_forced === "drain");
    this.switches.charge.setAttribute("aria-pressed", box.battery_forced === "charge");
    this.switches.flicker.disabled = !box.has_grid;
    for (const [part, { name, ways }] of Object.entries(kiez.parts)) {
      if (!this.parts.has(part)) this.addPart(part, name, ways);
      const select = this.parts.get(part);
      const broken = box.broken[part] ?? "";
      if (document.activeElement !== select || select.dataset.box !== box.id) select.value = broken;
      select.dataset.box = box.id;
      select.classList.toggle("broken", broken !== "");
    }
  }

  addPart(part, name, ways) {
    const choices = [{ kind: "", label: "works" }, ...ways];
    const select = make("select", {}, choices.map(({ kind, label }) => make("option", { value: kind }, [label])));
    select.addEventListener("change", () => this.throwSwitch("break", this.box.id, { part, kind: select.value || null }));
    byId("parts").append(make("label", {}, [name, select]));
    this.parts.set(part, select);
  }

  // --- readings ---------------------------------------------------------------------------

  showWay(box, situation) {
    const mqtt = situation.publishers?.mqtt ?? {};
    const twice = box.arrived.repeats ? `, ${box.arrived.repeats} came twice and were told apart` : "";
    const steps = [
      [situation.buffered, "in memory, up to 5 s"],
      [box.serials.on_card, "on the card, since the node's start"],
      [mqtt.backlog, box.has_uplink ? "waiting to be sent" : "waiting for the uplink", mqtt.backlog > 40],
      [box.arrived.readings, `arrived at the broker${twice}`],
      [mqtt.delivered, `confirmed to the box, link ${mqtt.link ?? "unknown"}`],
    ];
    fill(byId("way"), steps, ([count, words, isAlert]) =>
      make("li", isAlert ? { class: "alert" } : {}, [make("b", {}, [count == null ? "–" : String(count)]), make("span", {}, [words])]));
  }

  showReadings(kiez, situation) {
    const now = new Map((situation.readings ?? []).map((reading) => [`${reading.sensor}/${reading.quantity}`, reading]));
    const rows = SERIES.map(([key, name, unit, digits]) => {
      const reading = now.get(key);
      const text = reading?.value == null ? null : reading.value.toFixed(digits).replace("-", "−");
      const why = reading ? `not used: ${reading.reason ?? reading.qc}` : "no answer";
      return { name, unit, text, why, points: kiez.history[key] ?? [] };
    });
    fill(byId("readings"), rows, drawReading);
  }

  // --- the phone --------------------------------------------------------------------------

  showPhone(kiez, box, mode) {
    byId("phone-time").textContent = clock(new Date(kiez.now * 1000).toISOString()).slice(0, 5);
    byId("ssid").textContent = box.is_open ? "WLAN: Kiezbox" : "no WLAN";
    byId("device").classList.toggle("open", box.is_open);
    byId("asleep").textContent = mode === "dark"
      ? "The WLAN is off: the battery is nearly empty, and the box keeps what it knows."
      : "No WLAN from the box. It opens one when the grid fails.";
    byId("asleep").hidden = box.is_open;
    // A person would load the page again now and then; we do when there is news on it.
    const { grid, battery, bulletins } = box.situation ?? {};
    const news = JSON.stringify([mode, grid?.state, battery?.stage, bulletins?.length]);
    const screen = byId("screen");
    const old = screen.querySelector("iframe");
    if (!box.is_open) old?.remove();
    else if (old?.getAttribute("src") !== box.portal) {
      old?.remove();
      screen.append(make("iframe", { src: box.portal, title: `The page of ${box.name} on a phone` }));
    } else if (this.shown !== news) old.setAttribute("src", box.portal);
    this.shown = news;
    fill(byId("portal-link"), [box.portal], (address) =>
      make("span", {}, ["The box's real portal: ", make("a", { href: address, target: "_blank", rel: "noopener" }, [address])]));
  }
}

function modeSign(mode) {
  const [name] = MODES[mode].name.split(" (");
  return make("span", {}, [sign(mode), name[0].toUpperCase() + name.slice(1)]);
}

function drawFault(fault) {
  if (!fault) return make("li", { class: "none" }, ["None. Break something, and see what it says."]);
  return make("li", {}, [fault.message, make("small", {}, [fault.hint])]);
}

function drawReading({ name, unit, text, why, points }) {
  const words = text === null ? [why] : [text, " ", make("small", {}, [unit])];
  return make("li", text === null ? { class: "none" } : {}, [make("h3", {}, [name]), make("p", {}, words), sparkline(points)]);
}

function sparkline(points) {
  const least = Math.min(...points);
  const span = Math.max(...points) - least;
  // A flat line in the middle, instead of noise blown up to the full height.
  const y = (value) => (span > 1e-9 ? 22 - (20 * (value - least)) / span : 12);
  const step = 100 / Math.max(1, points.length - 1);
  const line = points.map((value, n) => `${(n * step).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  return make("svg", { viewBox: "0 0 100 24", preserveAspectRatio: "none", "aria-hidden": "true" }, [make("polyline", { points: line })]);
}

function set(element, text, kind) {
  if (element.textContent !== text) element.textContent = text;
  element.className = kind;
}

function clock(time) {
  return time ? new Date(time).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" }) : "?";
}

function ago(now, since) {
  if (!since) return "";
  const seconds = Math.max(0, Math.round(now - Date.parse(since) / 1000));
  if (seconds < 90) return `for ${seconds} s`;
  return seconds < 5400 ? `for ${Math.round(seconds / 60)} min` : `since ${clock(since)}`;
}

function timeLeft({ hours_left_low: low, hours_left_high: high }) {
  // The box says it in tenths of an hour.
  if (high < 0.1) return "less than 6 min left";
  const [unit, factor] = high < 2 ? ["min", 60] : ["h", 1];
  const [from, to] = [low, high].map((hours) => Math.round(hours * factor));
  return from === to ? `about ${to} ${unit} left` : `${from} to ${to} ${unit} left`;
}

function times(n) {
  return n === 1 ? "once" : `${n} times`;
}
