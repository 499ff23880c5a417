/* Draws a tree [tag, attributes, children | text] as SVG and reports which node was picked.
   Nodes are updated in place by key, so that focus survives; words only ever become text nodes. */
const SVG = "http://www.w3.org/2000/svg";
const TAGS = new Set(["svg", "g", "rect", "path", "circle", "line", "polygon", "text", "tspan", "title"]);
const ATTRIBUTE = /^(?!on)[a-zA-Z][a-zA-Z0-9-]*$/i;
const STEPS = { "+": "more", "=": "more", "-": "less" };
/* Presses that are told again with each one: a trigger, or a press alone, is lost where another comes before the answer. */
const KEPT = 20;
/* Milliseconds on a node before the rest steps back: who comes to click does not wait for that to be painted. */
const LINGER = 90;
/* Pixels beyond the edge that are no more than the rim of a ring or of a word. */
const RIM = 24;
/* Pixels that a pointer may go between press and release. */
const STILL = 6;
const SMALLEST = 0.848, LARGEST = 1.25;

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  const both = parentElement.querySelector(".rz-both");
  if (!both || !data || !data.tree) return;
  const scene = both.rzScene || (both.rzScene = open(both));
  /* What an edit took away is told with the next press: before the answer is all there, fields beside it have their old values. */
  const [before, after] = data.moved || [];
  scene.moved = data.moved && [undefined, before].includes(scene.chosen);
  scene.report = (id) => {
    scene.moved = false;
    data.once ? setTriggerValue("picked", id) : setStateValue("selected", (scene.chosen = id));
  };
  scene.step = (id) => {
    if (scene.moved) scene.report(after);
    scene.pressed = [...scene.pressed.slice(-KEPT), `${id}.${(scene.last = Math.max(scene.last + 1, Date.now()))}`];
    tell(data.name, scene.pressed.join(" "));
  };
  scene.once = Boolean(data.once);
  scene.show(data.tree, data.above);
  return () => scene.still();
}

// To the component that hears presses for the page, or to where it finds them.
function tell(name, pressed) {
  const lines = (document.rzPresses ??= new Map());
  if (!lines.has(name)) lines.set(name, {});
  const line = lines.get(name);
  line.tell ? line.tell(pressed) : (line.waits = pressed);
}

/* Both: the row of − and +, which stands still, and the frame, in which the drawing scrolls where it is wide. Who holds by the
   keyboard what a drawing takes away goes on at the selected part. */
function open(both) {
  const [row, frame] = both.children;
  const scene = { report: () => {}, step: () => {}, pressed: [], last: 0, once: false, chosen: undefined, moved: false };
  scene.show = (tree, above) => {
    const held = both.getRootNode().activeElement, mine = held && both.contains(held);
    beside(row, above);
    show(frame, tree);
    requestAnimationFrame(() => { reached(row); reached(frame); });
    if (mine && !held.isConnected) toChosen();
  };
  const toChosen = () => frame.querySelector("[aria-pressed=true]")?.focus({ preventScroll: true });
  scene.still = () => frame.querySelector("svg")?.classList.remove("hovering");
  const picked = (event) => event.target.closest?.("[data-id]");
  const choose = (node) => {
    const id = node && node.getAttribute("data-id");
    if (!scene.once) {
      for (const other of frame.querySelectorAll("[data-id]")) press(other, other === node);
      ring(frame, node);
    }
    scene.report(id);
  };
  const stepped = (event) => event.target.closest?.(".pick-step");
  const step = (id) => { if (id) scene.step(id); };
  const first = (way) => row.querySelector(`[data-first="${way}"]`)?.getAttribute("data-step");
  const act = (sign, node, blank) => {
    if (sign) step(sign);
    else if (node) choose(node);
    else if (blank && row.firstElementChild && frame.querySelector("[aria-pressed=true]")) choose(null);
  };
  const under = (event) => [stepped(event)?.getAttribute("data-step"), picked(event),
    frame.contains(event.target) && event.target.closest?.("svg")];
  /* A browser gives no click where a drawing between press and release moved what was pressed: the release counts. */
  let down = null, acted = false;
  both.addEventListener("pointerdown", (event) => {
    acted = false;
    down = event.isPrimary && event.button === 0 ? { x: event.clientX, y: event.clientY, under: under(event) } : null;
  });
  both.addEventListener("pointercancel", () => { down = null; });
  both.addEventListener("pointerup", (event) => {
    if (down && Math.hypot(event.clientX - down.x, event.clientY - down.y) <= STILL) act(...down.under), (acted = true);
    down = null;
  });
  both.addEventListener("click", (event) => {
    if (!acted || !event.detail) act(...under(event));
    acted = false;
  });
  both.addEventListener("keydown", (event) => {
    const node = picked(event), sign = stepped(event), press = event.key === "Enter" || event.key === " ";
    if (!(node || sign) || event.altKey || event.ctrlKey || event.metaKey) return;
    if (sign && !press && event.key !== "Escape") return;
    if (sign && press) step(sign.getAttribute("data-step"));
    else if (press) choose(node);
    else if (event.key === "Escape" && !scene.once) {
      if (sign) toChosen();
      choose(null);
    }
    else if (STEPS[event.key]) node.getAttribute("aria-pressed") === "true" ? step(first(STEPS[event.key])) : choose(node);
    else if (event.key.startsWith("Arrow")) neighbour(frame, node, event.key.slice(5).toLowerCase())?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  let soon = 0;
  const later = (node) => { clearTimeout(soon); soon = setTimeout(() => light(frame, node), node ? LINGER : 0); };
  frame.addEventListener("pointerover", (event) => later(picked(event)));
  frame.addEventListener("pointerleave", () => later(null));
  frame.addEventListener("pointerdown", () => clearTimeout(soon));
  frame.addEventListener("scroll", () => goesOn(frame));
  const resized = new ResizeObserver(() => { goesOn(frame); reached(frame); reached(row); });
  for (const each of [frame, row]) resized.observe(each);
  return scene;
}

// Whether there is more to scroll to on either side, which the style rules show.
function goesOn(frame) {
  frame.classList.toggle("before", frame.scrollLeft > RIM);
  frame.classList.toggle("after", frame.scrollLeft + frame.clientWidth < frame.scrollWidth - RIM);
}

// A pane that scrolls and holds nothing to which Tab leads can be reached itself, by the name of its drawing.
function reached(pane) {
  const root = pane.querySelector("svg"), alone = root && pane.scrollWidth > pane.clientWidth && !root.querySelector("[tabindex]");
  const more = { tabindex: "0", role: "group", "aria-label": root?.getAttribute("aria-label") };
  for (const [name, value] of Object.entries(more)) alone && value ? pane.setAttribute(name, value) : pane.removeAttribute(name);
}

// What is selected in a strip that is wider than the page stands in its middle.
function reveal(frame, chosen) {
  if (!chosen) return;
  const [mine, all] = [chosen.getBoundingClientRect(), frame.getBoundingClientRect()];
  frame.scrollLeft += mine.left + mine.width / 2 - all.left - all.width / 2;
}

function press(node, on) {
  node.setAttribute("aria-pressed", on ? "true" : "false");
}

// Who picked a part sees it marked before the answer comes.
function ring(frame, node) {
  for (const old of frame.querySelectorAll(".ring")) old.remove();
  if (!node?.hasAttribute("data-ring")) return;
  const [x, y, width, height, rx] = node.getAttribute("data-ring").split(" ");
  const drawn = node.appendChild(document.createElementNS(SVG, "rect"));
  for (const [name, value] of Object.entries({ x, y, width, height, rx, class: "ring" })) drawn.setAttribute(name, value);
}

// The row of − and +, as wide as the page whatever is drawn below it, or none.
function beside(row, tree) {
  if (!tree) return row.replaceChildren();
  const root = row.firstElementChild || row.appendChild(document.createElementNS(SVG, "svg"));
  update(root, ["svg", { ...tree[1], class: classes(root, tree) }, tree[2]]);
  root.style.minWidth = `${SMALLEST * width(tree)}px`;
  palette(root);
}

/* What was found out here stays with the drawing: to take it away and give it back would style every part of it twice. */
const OWN = ["dark", "moving"];
const classes = (root, tree) =>
  ["rz-scene", tree[1].class, ...OWN.filter((each) => root.classList.contains(each))].filter(Boolean).join(" ");

const width = (tree) => Number((tree[1].viewBox || "0 0 0 0").split(" ")[2]);

function show(frame, tree) {
  let root = frame.querySelector("svg");
  const first = !root;
  if (first) root = frame.appendChild(document.createElementNS(SVG, "svg"));
  update(root, ["svg", { ...tree[1], class: classes(root, tree) }, tree[2]]);
  const wide = width(tree);
  const strip = root.classList.contains("strip");
  root.style.minWidth = root.getAttribute("role") === "img" && root.classList.contains("thumbnail") ? ""
    : `${(strip ? 1 : SMALLEST) * wide}px`;
  root.style.maxWidth = strip ? `${wide}px` : root.classList.contains("excerpt") ? `${LARGEST * wide}px` : "";
  if (first && strip) requestAnimationFrame(() => reveal(frame, root.querySelector("[aria-pressed=true]")));
  frame.parentElement.style.setProperty("--rz-aspect", tree[1]["data-aspect"] ?? 9999);  // the row of signs is as wide
  requestAnimationFrame(() => goesOn(frame));
  palette(root);
  if (first) requestAnimationFrame(() => requestAnimationFrame(() => root.classList.add("moving")));
  else root.classList.add("moving");
}

function keyOf(node) {
  return node.getAttribute?.("data-id") ?? node.getAttribute?.("data-key");
}

function update(node, [, attributes, inside]) {
  const wanted = new Map(Object.entries(attributes || {}).filter(([name]) => ATTRIBUTE.test(name) && name !== "style"));
  for (const name of node.getAttributeNames()) if (!wanted.has(name) && name !== "style") node.removeAttribute(name);
  for (const [name, value] of wanted) if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
  if (typeof inside === "string") {
    if (node.textContent !== inside || node.childElementCount) node.textContent = inside;
    return;
  }
  children(node, (inside || []).filter((child) => TAGS.has(child[0])));
}

function children(node, trees) {
  if (node.firstChild && node.firstChild.nodeType === Node.TEXT_NODE) node.textContent = "";
  const keyed = new Map();
  const loose = new Map();  // without a key: by tag, in order
  for (const child of node.children) {
    const key = keyOf(child), tag = child.localName;
    if (key !== null) keyed.set(key, child);
    else loose.has(tag) ? loose.get(tag).push(child) : loose.set(tag, [child]);
  }
  const named = new Set(trees.map((tree) => String(tree[1]?.["data-id"] ?? tree[1]?.["data-key"])));
  for (const [key, child] of keyed) if (!named.has(key)) child.remove();
  let place = node.firstElementChild;
  const kept = new Set();
  for (const tree of trees) {
    const key = tree[1]?.["data-id"] ?? tree[1]?.["data-key"];
    let child = key === undefined ? loose.get(tree[0])?.shift() : keyed.get(String(key));
    if (!child || child.localName !== tree[0] || kept.has(child)) child = document.createElementNS(SVG, tree[0]);
    kept.add(child);
    if (child !== place) node.insertBefore(child, place);
    else place = place.nextElementSibling;
    update(child, tree);
  }
  for (const child of [...node.children]) if (!kept.has(child)) child.remove();
}

/* Streamlit hands its palettes over as lists; the style rules want one variable per colour. They are read before the next frame,
   when styles are worked out anyway. */
function palette(root) {
  if (root.rzColoured) requestAnimationFrame(() => colour(root));
  else colour(root);
  root.rzColoured = true;
}

function colour(root) {
  const style = getComputedStyle(root);
  const list = (name) => style.getPropertyValue(name).split(/,(?![^(]*\))/).map((colour) => colour.trim());
  const set = (name, value) => { if (value && root.style.getPropertyValue(name) !== value) root.style.setProperty(name, value); };
  list("--st-chart-categorical-colors").forEach((c, i) => set(i < 6 ? `--task-${i}` : `--family-${i - 5}`, c));
  list("--st-chart-sequential-colors").forEach((c, i) => set(`--seq-${i}`, c));
  list("--st-chart-diverging-colors").forEach((c, i) => set(`--div-${i}`, c));
  root.classList.toggle("dark", dark(style.getPropertyValue("--st-background-color").trim()));
}

const known = new Map();

function dark(colour) {
  if (!known.has(colour)) known.set(colour, darkness(colour));
  return known.get(colour);
}

function darkness(colour) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.fillStyle = colour || "white";
  const [r, g, b] = pen.fillStyle.startsWith("#")
    ? [1, 3, 5].map((at) => parseInt(pen.fillStyle.slice(at, at + 2), 16))
    : pen.fillStyle.match(/[\d.]+/g).map(Number);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 110;
}

const related = (node) => (node.getAttribute("data-rel") || "").split("\n");

/* Everything that names the hovered node among its relations stays bright. */
function light(frame, node) {
  const root = frame.querySelector("svg");
  if (!root) return;
  const id = node?.getAttribute("data-rel") ? node.getAttribute("data-id") : null;
  root.classList.toggle("hovering", id !== null);
  for (const each of root.querySelectorAll("[data-rel]")) each.classList.toggle("lit", id !== null && related(each).includes(id));
}

/* The node an arrow key leads to: sideways along edges where there are any that way, else the nearest one. */
function neighbour(frame, node, way) {
  const named = node.getAttribute(`data-${way}`);
  const all = [...frame.querySelectorAll("[data-id]")].filter((each) => each !== node);
  if (named) return all.find((each) => each.getAttribute("data-id") === named);
  const from = node.getBoundingClientRect();
  const sideways = way === "left" || way === "right";
  const sign = way === "left" || way === "up" ? -1 : 1;
  const ahead = all.map((each) => [each, distance(from, each.getBoundingClientRect(), sideways, sign)]).filter(([, d]) => d < Infinity);
  const near = (list) => list.sort((a, b) => a[1] - b[1])[0]?.[0];
  const linked = sideways ? ahead.filter(([each]) => related(node).includes(each.getAttribute("data-id"))) : [];
  return near(linked) || near(ahead);
}

function distance(from, to, sideways, sign) {
  const dx = to.x + to.width / 2 - from.x - from.width / 2;
  const dy = to.y + to.height / 2 - from.y - from.height / 2;
  const [along, across] = sideways ? [dx * sign, dy] : [dy * sign, dx];
  return along > 2 ? along + 3 * Math.abs(across) : Infinity;
}
