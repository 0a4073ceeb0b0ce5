"use strict";
// The fragment of the address holds everything that is chosen: #runtime=torch&runtime=nnx&block=se&cell=12
const CHOICES = ["runtime", "dtype", "mode", "status"];
const form = document.getElementById("filters");
const everything = document.getElementById("everything");
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const fragment = () => new URLSearchParams(location.hash.slice(1).replace(/^cell-/, "cell="));

function chosen() {
  const state = new URLSearchParams();
  if (form) for (const [name, value] of new FormData(form)) if (value.trim()) state.append(name, value);
  return state;
}

function remember(state, push) {
  const address = "#" + state.toString();
  if (address !== (location.hash || "#")) history[push ? "pushState" : "replaceState"](null, "", address);
}

function fill(state) {
  if (!form) return;
  form.elements.block.value = state.get("block") ?? "";
  for (const box of all("[type=checkbox]", form)) box.checked = state.getAll(box.name).includes(box.value);
}

function filter(state) {
  const words = (state.get("block") ?? "").toLowerCase().split(/\s+/);
  const finds = (element) => words.every((word) => element.dataset.find.includes(word));
  const fits = (element, names) => names.every((name) => {
    const wanted = state.getAll(name);
    return !wanted.length || !(name in element.dataset) || wanted.includes(element.dataset[name]);
  });
  const filtered = ["block", ...CHOICES].some((name) => state.has(name));

  for (const cell of all(".map td")) {
    cell.hidden = !fits(cell, ["runtime", "dtype", "mode"]);
    cell.classList.toggle("off", state.has("status") && !state.getAll("status").includes(cell.dataset.status));
  }
  for (const row of all(".map tbody tr")) {
    row.hidden = !finds(row) || (filtered && !row.querySelector("td[data-status]:not([hidden]):not(.off)"));
  }
  const lowest = all(".map th[data-mode]");
  for (const head of all(".map thead th[data-runtime]")) {
    const own = lowest.filter((th) => ["runtime", "dtype", "mode"].every(
      (name) => !(name in head.dataset) || head.dataset[name] === th.dataset[name]));
    const seen = own.filter((th) => fits(th, CHOICES)).length;
    head.hidden = own.length ? !seen : !fits(head, CHOICES);
    if (seen) head.colSpan = seen;
  }
  let found = 0;
  for (const block of all(".block")) {
    const cells = all("details.cell", block);
    for (const cell of cells) cell.hidden = !fits(cell, CHOICES) || !finds(cell);
    const seen = cells.filter((cell) => !cell.hidden).length;
    block.hidden = filtered && !seen;
    found += seen;
  }
  if (!form) return;
  const total = all("details.cell").length;
  document.getElementById("found").value = filtered ? `${found} of ${total} cells` : `${total} cells`;
  everything.hidden = !filtered;
}

function show(number) {
  for (const old of all(".chosen")) old.classList.remove("chosen");
  const cell = number === null ? null : document.getElementById("cell-" + number);
  if (!cell) return;
  cell.open = true;
  cell.classList.add("chosen");
  cell.querySelector("summary").focus({ preventScroll: true });
  cell.scrollIntoView({ block: "start" });
}

function restore() {
  const state = fragment();
  fill(state);
  filter(state);
  show(state.get("cell"));
}

function follow(event) {
  const link = event.target.closest('a[href^="#"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault(); // a plain fragment would lose what is chosen
  if (!link.hash.startsWith("#cell-")) return document.getElementById(link.hash.slice(1)).focus();
  const number = link.hash.slice("#cell-".length);
  const target = document.getElementById("cell-" + number);
  if (target.closest("[hidden]")) form.reset(); // a failure stands above the filters, so they may hide its cell
  const state = chosen();
  state.set("cell", number);
  remember(state, true);
  filter(state);
  show(number);
}

async function copy(event) {
  const code = event.target.parentElement.querySelector("code");
  getSelection().selectAllChildren(code); // what remains if the browser forbids the clipboard
  try {
    await navigator.clipboard.writeText(code.textContent);
    event.target.textContent = "Copied";
  } catch {
    event.target.textContent = "Selected";
  }
  setTimeout(() => (event.target.textContent = "Copy"), 2000);
}

function choose() {
  const state = chosen();
  remember(state, false);
  filter(state);
}

if (form) {
  form.hidden = false;
  form.addEventListener("input", choose);
  everything.addEventListener("click", () => { form.reset(); choose(); });
  form.addEventListener("submit", (event) => event.preventDefault());
}
for (const button of all(".copy")) {
  button.hidden = false;
  button.addEventListener("click", copy);
}
document.addEventListener("click", follow);
addEventListener("popstate", restore);
restore();
