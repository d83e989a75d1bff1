// Makes the cells of a page editable and runnable. Without this script, or without
// WebAssembly, the page can still be read.
import { living } from "./living.js";
import { Outputs } from "./player.js";

const notebook = JSON.parse(document.getElementById("book-notebook").textContent);
const tools = document.getElementById("book-tools");
const status = document.getElementById("book-status");
const progress = document.getElementById("book-progress");
const speed = document.getElementById("book-speed");
const say = (text) => { status.textContent = text; };

// store keeps the reader's changes, if the browser allows it.
const store = {
	key: (name) => `go-book:${location.pathname.replace(/[^/]*$/, "")}${notebook.name}:${name}`,
	get(name) { try { return localStorage.getItem(this.key(name)); } catch { this.blocked = true; return null; } },
	set(name, value) { try { value === null ? localStorage.removeItem(this.key(name)) : localStorage.setItem(this.key(name), value); } catch { this.blocked = true; /* the page keeps it while it is open */ } },
};

const cells = notebook.cells.map((c, i) => makeCell(i + 1, c));
let worker, ready, kept, running = null, stopped = false, load = { done: 0, all: 0 };
let giveUp = () => {}; // rejects a start that has not finished

function button(text, title, onclick) {
	return Object.assign(document.createElement("button"), { type: "button", textContent: text, title, onclick });
}

function makeCell(number, { ID: id, Source: original, Sliders: sliders }) {
	const section = document.querySelector(`[data-number="${number}"]`);
	const cell = { number, name: "cell-" + (id ?? number), section, original, code: section.querySelector(".code"), live: section.querySelector(".live"), bar: section.querySelector(".bar"), sliders };
	cell.source = original;
	cell.html = cell.code.innerHTML;
	return cell;
}

function dress(cell) {
	const { bar, section } = cell;
	cell.run = button("▶ Run", "Shift+Enter in the editor", () => runCells([cell]));
	cell.run.className = "run";
	cell.reset = button("Reset", "Restore the original", () => { change(cell, cell.original); put(cell, cell.original); });
	bar.append(cell.run, button("Run up to here", "Run all cells up to and including this one", () => runCells(cells.slice(0, cell.number))),
		button("Edit", "Edit this cell", () => edit(cell).then((e) => e.view.focus())), cell.reset);
	bar.hidden = false;
	cell.code.addEventListener("dblclick", () => edit(cell).then((e) => e.view.focus()));
	put(cell, store.get(cell.name) ?? cell.original);
	section.classList.add("ready");
}

// slide gives a cell controls for its flags. Their values go into its %args line, and
// each move runs the cell again; its program is built only once.
function slide(cell) {
	cell.section.querySelector(".sliders")?.remove();
	const box = element("fieldset", "sliders");
	box.append(element("legend", "", "What if?"));
	for (const { name, label, value, min, max, step, choices } of cell.sliders) {
		const argument = new RegExp(`(?<=^%args.*-${name}=)\\S+`);
		const input = choices ? document.createElement("select") : Object.assign(document.createElement("input"), { type: "range", min, max, step });
		choices?.forEach((choice) => input.add(new Option(choice)));
		input.name = name;
		input.value = argument.exec(cell.source)?.[0] ?? value;
		const shown = element("output", "", choices ? "" : input.value);
		input.oninput = () => {
			if (!choices) shown.value = input.value;
			change(cell, cell.source.replace(argument, input.value));
			cell.editor?.set(cell.source);
			show(cell);
			again(cell);
		};
		const row = element("label", "", label + " ");
		row.append(input, shown);
		box.append(row);
	}
	cell.live.before(box);
}

// again runs a cell with the values of its sliders, and once more if they have been moved
// in the meantime. Cells above it that only declare things need not have been run.
async function again(cell) {
	cell.moved = true;
	if (busy) return;
	while (cell.moved) {
		cell.moved = false;
		const above = cells.slice(0, cell.number - 1).filter((c) => !c.known && c.section.dataset.unsupported === undefined && !/^(%%|%test|func main\()/m.test(c.source));
		await runCells([cell], above);
		above.forEach((c) => { c.known = cell.known; });
	}
}

// show shows the source of a cell that has no editor. The original keeps the
// highlighting it came with, even if its arguments have changed.
function show(cell) {
	if (cell.editor) return;
	cell.code.innerHTML = cell.html;
	if (cell.source === cell.original) return;
	const [line, rest] = split(cell.source);
	const command = cell.code.querySelector(".command");
	if (rest === split(cell.original)[1] && line.startsWith("%args")) command.textContent = line;
	else cell.code.querySelector("code").textContent = cell.source;
}

// split splits text after its first line.
function split(text) {
	const end = text.indexOf("\n") + 1;
	return [text.slice(0, end), text.slice(end)];
}

// put replaces the source of a cell wherever it is shown.
function put(cell, source) {
	take(cell, source);
	cell.editor?.set(source);
	show(cell);
	if (cell.sliders) slide(cell);
}

function take(cell, source) {
	cell.source = source;
	cell.known = false;
	cell.reset.disabled = source === cell.original;
}

// follow adopts changes made in another tab, so that both show the same. Undo brings back
// what was here before.
function follow() {
	const changed = cells.filter((cell) => {
		const kept = store.get(cell.name) ?? cell.original;
		if (store.blocked || kept === cell.source) return false;
		put(cell, kept);
		return true;
	});
	if (changed.length > 0) say(`Cell ${changed.map((c) => c.number).join(", ")} was changed in another tab`);
}

// change adopts a reader's edit and stores it. Nothing else is stored: a tab that follows
// another would write back outdated text.
function change(cell, source) {
	if (source === cell.source) return;
	take(cell, source);
	store.set(cell.name, source === cell.original ? null : source);
}

async function edit(cell) {
	if (cell.editor) return cell.editor;
	const { edit, mark, set } = await import("./editor.js");
	if (cell.editor) return cell.editor;
	cell.code.replaceChildren();
	const view = edit(cell.code, cell.source, `Cell ${cell.number}`, (text) => change(cell, text), () => runCells([cell]));
	cell.editor = { view, mark: (faults) => mark(view, faults), set: (text) => set(view, text) };
	return cell.editor;
}

// start starts Go, which is loaded the first time.
function start() {
	ready ??= new Promise((resolve, reject) => {
		giveUp = reject;
		worker = new Worker("go/worker.js");
		worker.onerror = (e) => reject(new Error(e.message || "the worker could not be started"));
		worker.onmessage = ({ data }) => data.ready ? resolve() : data.error && !running ? reject(new Error(data.error)) : receive(data);
		worker.postMessage({ role: "core" });
		worker.postMessage({ open: { dir: notebook.dir, cells: notebook.cells } });
	}).catch((err) => { restart(); throw err; });
	return ready;
}

// keep stores the page and what it needs for use offline. The workers store the large
// files.
async function keep() {
	const files = ["book.css", "book.js", "player.js", "living.js", "editor.js", "go/worker.js", "go/go.js", "go/wasm_exec.js", notebook.name + ".ipynb", location.pathname];
	try {
		await navigator.serviceWorker.register("offline.js");
		await (await caches.open("go-book-pages")).addAll(files);
	} catch { /* plain http has none, or they are blocked */ }
}

function restart() {
	worker?.terminate();
	worker = ready = null;
	giveUp(new Error("stopped"));
	running?.reject(new Error("stopped"));
	load = { done: 0, all: 0 };
	progress.hidden = true;
	cells.forEach((c) => { c.known = false; });
}

function receive(data) {
	if (data.load) load.all += data.load;
	if (data.loaded) load.done += data.loaded;
	if (data.load || data.loaded) {
		progress.hidden = load.done >= load.all;
		progress.max = load.all;
		progress.value = load.done;
		say(progress.hidden ? "" : `Loading Go, only this once: ${(load.done / 1e6).toFixed(1)} of ${(load.all / 1e6).toFixed(1)} MB`);
	}
	if (data.took) performance.measure(data.took.phase, { start: performance.now() - data.took.ms, duration: data.took.ms }); // for the browser's profiler
	if (data.progress !== undefined && progress.hidden) say(data.progress);
	data.lines?.forEach(([id, line]) => { if (running?.id === id) line === null ? running.resolve() : told(running, JSON.parse(line)); });
	if (data.records?.length === 1 && running) { // if there are several, it is not known when each began
		try {
			const { record } = JSON.parse(data.records[0]);
			running.player.show((width) => living(record, width));
		} catch { /* another program may have written something else there */ }
	}
	if (data.error && running) running.reject(new Error(data.error));
}

// told shows what core reports about the running cell.
function told(run, { action, at, html, output, fault }) {
	if (action === "cell") {
		run.player.begin(at);
	} else if (action === "output") {
		if (output.kind === "clear") run.player.clear();
		else if (output.kind === "update") run.player.update(output.id, html);
		else run.player.add(at, html, output);
		run.error ||= output.kind === "error";
	} else if (fault) {
		run.fault = fault;
	}
}

function element(tag, className, text) {
	return Object.assign(document.createElement(tag), { className, textContent: text });
}

async function runCell(cell, above) {
	cell.live.style.minHeight = cell.live.offsetHeight + "px"; // keeps what is below in place
	const player = new Outputs(cell.live, Number(speed.value));
	cell.live.hidden = false;
	cell.live.removeAttribute("data-verdict");
	cell.editor?.mark([]);
	const run = { id: Math.random(), cell, player };
	const done = new Promise((resolve, reject) => Object.assign(run, { resolve, reject }));
	try {
		say("");
		await start();
		running = run;
		worker.postMessage({ run: cell.number, source: cell.source, above: above.map(({ number, source }) => ({ number, source })), id: run.id });
		await done;
		kept ??= keep(); // the first output need not wait for it
	} catch (err) {
		run.fault = { text: err.message };
	}
	running = null;
	player.finish();
	if (run.fault) {
		const place = run.fault.line ? `line ${run.fault.line}: ` : "";
		if (!run.error) cell.live.append(element("p", "fault", place + run.fault.text));
		const at = cells[(run.fault.cell || cell.number) - 1];
		if (run.fault.line && at) (await edit(at)).mark([run.fault]);
	}
	cell.live.style.minHeight = "";
	cell.known = !run.fault; // its declarations
	cell.live.dataset.verdict = run.fault ? "fail" : "pass";
	return !run.fault || ["tag-raises-exception", "tag-real-clock"].some((tag) => cell.section.classList.contains(tag));
}

let busy = false;

// runCells runs cells, after declaring what the cells above declare.
async function runCells(list, above = []) {
	if (busy) return;
	busy = true;
	stopped = false;
	busyButtons(true);
	try {
		for (const cell of list) {
			const passed = await runCell(cell, above);
			if (stopped) break;
			if (!passed && list.length > 1 && cell.section.dataset.unsupported === undefined) {
				say(`Cell ${cell.number} failed`);
				cell.section.scrollIntoView({ block: "center" });
				break;
			}
		}
	} finally {
		busy = false;
		busyButtons(false);
	}
}

function busyButtons(on) {
	tools.querySelector("[data-do=stop]").disabled = !on;
	tools.querySelector("[data-do=all]").disabled = on;
	cells.forEach((c) => { c.run.disabled = on; });
}

function stop() {
	stopped = true;
	if (running) worker.postMessage({ stop: true });
	else restart();
}

// download saves the page's cells as they are now as a notebook.
async function download() {
	const response = await fetch(notebook.name + ".ipynb");
	const nb = await response.json();
	notebook.at.forEach((at, i) => {
		const source = cells[i].source;
		if (source !== cells[i].original) Object.assign(nb.cells[at], { source: source.match(/[^\n]*\n|[^\n]+$/g) ?? [], outputs: [], execution_count: null });
	});
	const url = URL.createObjectURL(new Blob([JSON.stringify(nb, null, 1) + "\n"], { type: "application/x-ipynb+json" }));
	Object.assign(document.createElement("a"), { href: url, download: notebook.name + ".ipynb" }).click();
	URL.revokeObjectURL(url);
}

if (tools && typeof WebAssembly === "object" && typeof DecompressionStream === "function") {
	const actions = { all: () => runCells(cells), stop, restart: () => { restart(); say("Everything the cells declared is forgotten."); }, download };
	for (const [name, action] of Object.entries(actions)) tools.querySelector(`[data-do=${name}]`).onclick = action;
	speed.value = store.get("speed") ?? "0";
	speed.onchange = () => store.set("speed", speed.value);
	cells.forEach(dress);
	for (const [target, event] of [[window, "storage"], [window, "pageshow"], [document, "visibilitychange"]]) target.addEventListener(event, follow);
	tools.hidden = false;
} else if (tools) {
	tools.hidden = false;
	tools.replaceChildren(element("p", "note", "This browser can't run Go: it lacks WebAssembly or DecompressionStream. You can still read the page."));
}
