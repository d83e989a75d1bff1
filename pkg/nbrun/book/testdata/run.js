// Runs the cells of notebooks as pages do, under node: run.js SITE, with the notebooks
// as JSON on stdin. It prints what core tells, a line each, after {"action": "start"}
// for each notebook. Programs run in threads of their own, which are ended when they take
// too long.
"use strict";
const fs = require("fs"), path = require("path"), vm = require("vm"), zlib = require("zlib");
const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
const dir = path.join(isMainThread ? process.argv[2] : workerData.site, "go");
const { exit, env: { TIMES } } = process;
for (const file of ["wasm_exec.js", "go.js"]) vm.runInThisContext(fs.readFileSync(path.join(dir, file), "utf8"), { filename: file });

// print writes a line to stdout, which takes no more than a part of it at once.
function print(text) {
	const line = Buffer.from(text + "\n");
	for (let at = 0; at < line.length;) {
		try {
			at += fs.writeSync(1, line, at);
		} catch (err) {
			if (err.code !== "EAGAIN") throw err;
		}
	}
}

// runs is the thread of a program.
async function runs({ wasm, p, entries }) {
	const env = Object.fromEntries(p.env.map((e) => [e.slice(0, e.indexOf("=")), e.slice(e.indexOf("=") + 1)]));
	const system = new System(new Files(entries), p.dir, (fd, bytes) => parentPort.postMessage({ fd, bytes }));
	parentPort.on("message", (answer) => system.answer(answer));
	const status = await runGo(await WebAssembly.compile(wasm), { argv: p.args, env, system, realClock: p.realClock });
	parentPort.postMessage({ status, entries: system.files.entries });
}

function drives() {
	const input = JSON.parse(fs.readFileSync(0, "utf8"));
	const site = {
		index: JSON.parse(fs.readFileSync(path.join(dir, "index.json"), "utf8")),
		get: async (name) => new Uint8Array(zlib.gunzipSync(fs.readFileSync(path.join(dir, name)))),
	};
	const toolchain = new Toolchain(site, TIMES ? (phase, ms) => console.error(phase, Math.round(ms), "ms") : undefined);
	const files = new Files(); // of the notebook that runs
	const host = {
		has: (p) => p === "unsafe" || p in site.index.packages,
		progress: () => {},
		build: (packages) => toolchain.build(JSON.parse(packages)),
		run: (wasm, process, out) => {
			const thread = new Worker(__filename, { workerData: { site: path.dirname(dir), wasm, p: JSON.parse(process), entries: files.entries } });
			return new Promise((resolve, reject) => {
				setTimeout(() => reject(new Error(`stopped after ${input.patience / 1000} s`)), input.patience);
				thread.on("error", reject);
				thread.on("message", (m) => {
					if (m.bytes) {
						const answer = out(m.fd, m.bytes);
						if (m.fd === 3) thread.postMessage(answer);
						return;
					}
					files.entries = m.entries;
					resolve(m.status);
				});
			}).finally(() => thread.terminate());
		},
	};
	globalThis.coreReady = async () => {
		for (const { dir, cells, order } of input.notebooks) {
			print('{"action": "start"}');
			files.entries = new Files().entries;
			files.mkdirp(dir);
			files.mkdirp(input.temp);
			const notebook = await openNotebook(host, JSON.stringify({ dir, cells }));
			for (const number of order) await notebook.run(number, cells[number - 1].Source, print);
		}
		exit(0);
	};
	(async () => {
		const core = await WebAssembly.compile(await site.get(site.index.core));
		await runGo(core, { argv: ["core"], env: {}, system: new System(files, "/", (_, bytes) => fs.writeSync(2, bytes)), realClock: true, serves: true });
	})().catch((err) => { console.error(err); exit(1); });
}

if (isMainThread) drives();
else runs(workerData);
