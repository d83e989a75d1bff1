// Runs the cells of a notebook as a page does, under node: run.js SITE, with the
// notebook as JSON on stdin. It prints what core tells, a line each.
"use strict";
const fs = require("fs"), path = require("path"), vm = require("vm"), zlib = require("zlib");
const dir = path.join(process.argv[2], "go");
const input = JSON.parse(fs.readFileSync(0, "utf8"));
const print = (text) => fs.writeSync(1, text + "\n");
const { exit, env: { TIMES } } = process;
for (const file of ["wasm_exec.js", "go.js"]) vm.runInThisContext(fs.readFileSync(path.join(dir, file), "utf8"), { filename: file });

const site = {
	index: JSON.parse(fs.readFileSync(path.join(dir, "index.json"), "utf8")),
	get: async (name) => new Uint8Array(zlib.gunzipSync(fs.readFileSync(path.join(dir, name)))),
};
const toolchain = new Toolchain(site);
const files = new Files();
files.mkdirp(input.dir);
files.mkdirp(input.temp);
const host = {
	has: (p) => p === "unsafe" || p in site.index.packages,
	progress: () => {},
	build: async (packages) => {
		const t = performance.now();
		const built = await toolchain.build(JSON.parse(packages));
		if (TIMES) console.error("build", Math.round(performance.now() - t), "ms");
		return built;
	},
	run: async (wasm, process, out) => {
		const p = JSON.parse(process);
		const env = Object.fromEntries(p.env.map((e) => [e.slice(0, e.indexOf("=")), e.slice(e.indexOf("=") + 1)]));
		return runGo(await WebAssembly.compile(wasm), { argv: p.args, env, system: new System(files, p.dir, out), realClock: p.realClock });
	},
};
globalThis.coreReady = async () => {
	const notebook = await openNotebook(host, JSON.stringify({ dir: input.dir, cells: input.cells }));
	for (const number of input.order ?? input.cells.map((_, i) => i + 1)) {
		const cell = input.cells[number - 1];
		await notebook.run(number, cell.Source, (text) => print(text));
	}
	exit(0);
};
(async () => {
	const core = await WebAssembly.compile(await site.get(site.index.core));
	await runGo(core, { argv: ["core"], env: {}, system: new System(new Files(), "/", (_, bytes) => fs.writeSync(2, bytes)), realClock: true, serves: true });
})().catch((err) => { console.error(err); exit(1); });
