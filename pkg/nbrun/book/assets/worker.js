// One script for three kinds of worker: core drives the cells, build compiles and links,
// and run runs one program and can be terminated at any time.
"use strict";
importScripts("wasm_exec.js", "go.js");

const post = (message, transfer) => postMessage(message, transfer ?? []);
const took = (phase, ms) => post({ took: { phase, ms } });

// Site gets files from this script's folder and keeps them for use offline if the browser
// allows it.
class Site {
	async open() {
		try {
			this.store = await caches.open("go-book");
		} catch { /* plain http has no caches, or they are blocked */ }
		const response = await fetch("index.json").catch(() => this.store && this.store.match("index.json"));
		if (!response || !response.ok) throw new Error("go/index.json could not be loaded");
		if (this.store) await this.store.put("index.json", response.clone()).catch(() => {});
		this.index = await response.json();
		return this;
	}

	async get(name) {
		const size = this.index.sizes[name];
		let data;
		const kept = this.store && await this.store.match(name);
		if (kept) {
			data = await kept.blob();
		} else {
			data = await this.fetch(name, size);
			if (this.store) await this.store.put(name, new Response(data)).catch(() => {});
		}
		try {
			return new Uint8Array(await new Response(data.stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
		} catch {
			if (this.store) await this.store.delete(name);
			throw new Error(`go/${name} is damaged: its ${data.size} bytes can't be decompressed`);
		}
	}

	async fetch(name, size) {
		const response = await fetch(name).catch((err) => { throw new Error(`go/${name} could not be loaded: ${err.message}`); });
		if (!response.ok) throw new Error(`go/${name} could not be loaded: the host answered ${response.status}`);
		post({ load: size });
		const count = new TransformStream({ transform(chunk, out) { post({ loaded: chunk.length }); out.enqueue(chunk); } });
		const data = await new Response(response.body.pipeThrough(count)).blob();
		if (data.size !== size) throw new Error(`go/${name} is cut off: got ${data.size} bytes, want ${size}`);
		return data;
	}
}

// build answers {id, packages} with {id, wasm}, {id, said} or {id, error}.
async function build() {
	const ready = new Site().open().then((site) => new Toolchain(site, took));
	ready.then((toolchain) => toolchain.prepare(), () => {});
	let last = ready.catch(() => {});
	onmessage = ({ data: { id, packages } }) => {
		last = last.then(async () => {
			try {
				const built = await (await ready).build(packages);
				post({ id, ...built });
			} catch (err) {
				post({ id, error: err.message });
			}
		});
	};
}

// mostOutput is how many bytes of a program's output are passed on at most.
const mostOutput = 2 << 20;

// run runs one program and posts {out: [[fd, bytes]…]}, then {status, entries} or
// {error}. It receives {answer} for each display.
function run() {
	let system;
	onmessage = async ({ data: { wasm, argv, env, dir, entries, realClock, answer } }) => {
		if (answer) return system.answer(answer);
		let out = [], size = 0, all = 0, dropped = 0, flushed = performance.now();
		const flush = () => {
			if (out.length > 0) post({ out }, out.map((o) => o[1].buffer));
			out = [], size = 0, flushed = performance.now();
		};
		for (const e of entries.values()) e.written = false;
		system = new System(new Files(entries), dir, (fd, bytes) => {
			all += bytes.length;
			if (all > mostOutput && fd !== 3) {
				dropped += bytes.length;
				return;
			}
			out.push([fd, bytes]);
			size += bytes.length;
			if (size > 1 << 16 || performance.now() - flushed > 20 || fd === 3) flush();
		});
		try {
			const begin = performance.now();
			const module = await WebAssembly.compile(wasm);
			const loaded = performance.now();
			const status = await runGo(module, { argv, env, system, realClock });
			flush();
			took("load program", loaded - begin);
			took("run program", performance.now() - loaded);
			post({ status, dropped, entries: system.files.entries });
		} catch (err) {
			flush();
			const deep = err instanceof RangeError || /stack/i.test(err.message);
			post({ error: deep ? "stack overflow: the browser's stack, which is smaller than Go's, is exhausted" : "the browser ended the program: " + err.message });
		}
	};
}

// patience is how long a program may run, in ms. Waiting costs nothing on the fake clock,
// and programs that need the real one are short.
const patience = 30_000;

// newRecords returns the records of runs that a program has saved with package story.
function newRecords(entries) {
	return [...entries].filter(([path, e]) => e.written && /^\/tmp\/gonb_0\/\.runs\/[^.][^/]*\.json$/.test(path)).map(([, e]) => new TextDecoder().decode(e.data.subarray(0, e.size)));
}

// Core answers {open}, {run, above, id}, {stop} from the page.
class Core {
	async open(notebook) {
		this.files = new Files(); // of the cells' programs and commands
		this.files.mkdirp(notebook.dir);
		this.files.mkdirp("/tmp/gonb_0");
		const site = await new Site().open();
		this.builder = this.worker("build");
		this.spare = this.worker("run");
		const host = {
			has: (path) => path === "unsafe" || path in site.index.packages,
			progress: (text) => post({ progress: text }),
			build: (packages) => this.build(JSON.parse(packages)),
			run: (wasm, process, out) => this.run(wasm, JSON.parse(process), out),
		};
		const ready = new Promise((resolve) => { globalThis.coreReady = resolve; });
		const system = new System(this.files, "/", (_, bytes) => console.error(new TextDecoder().decode(bytes)));
		const core = await WebAssembly.compile(await site.get(site.index.core));
		const ended = runGo(core, { argv: ["core"], env: {}, system, realClock: true, serves: true });
		await Promise.race([ready, ended]);
		this.notebook = await openNotebook(host, JSON.stringify(notebook));
	}

	worker(role) {
		const w = new Worker("worker.js");
		w.onmessage = ({ data }) => post(data); // how much it loads
		w.postMessage({ role });
		return w;
	}

	// stoppable returns a promise that use settles and that a stop rejects.
	stoppable(use) {
		return new Promise((resolve, reject) => {
			this.stop = () => reject(new Error("stopped"));
			use(resolve, reject);
		}).finally(() => { this.stop = null; });
	}

	build(packages) {
		const id = Math.random();
		return this.stoppable((resolve, reject) => {
			this.builder.onerror = (e) => reject(new Error(e.message));
			this.builder.onmessage = ({ data }) => {
				if (data.id === undefined) post(data);
				else if (data.id !== id) return; // from a build that was stopped
				else if (data.error) reject(new Error(data.error));
				else resolve(data);
			};
			this.builder.postMessage({ id, packages });
		});
	}

	run(wasm, p, out) {
		const runner = this.spare;
		this.spare = this.worker("run");
		return this.stoppable((resolve, reject) => {
			setTimeout(() => reject(new Error(`stopped after ${patience / 1000} s: in a page, which has one thread, a loop that waits for other goroutines without sleeping never ends`)), patience);
			runner.onerror = (e) => reject(new Error(e.message));
			runner.onmessage = ({ data }) => {
				if (data.out) {
					for (const [fd, bytes] of data.out) {
						const answer = out(fd, bytes);
						if (fd === 3) runner.postMessage({ answer });
					}
				}
				else if (data.took) post(data);
				else if (data.error) reject(new Error(data.error));
				else {
					if (data.dropped) out(2, new TextEncoder().encode(`[${data.dropped} more bytes are not shown]\n`));
					post({ records: newRecords(data.entries) });
					this.files.entries = data.entries;
					resolve(data.status);
				}
			};
			const env = Object.fromEntries(p.env.map((e) => [e.slice(0, e.indexOf("=")), e.slice(e.indexOf("=") + 1)]));
			runner.postMessage({ wasm, argv: p.args, env, dir: p.dir, entries: this.files.entries, realClock: p.realClock });
		}).finally(() => runner.terminate());
	}
}

async function core() {
	const c = new Core();
	let lines = [];
	const tell = (id) => (line) => {
		if (lines.length === 0) setTimeout(() => { post({ lines }); lines = []; });
		lines.push([id, line]);
	};
	onmessage = async ({ data }) => {
		try {
			if (data.open) {
				await c.open(data.open);
				post({ ready: true });
			} else if (data.run) {
				for (const { number, source } of data.above) await c.notebook.declare(number, source);
				await c.notebook.run(data.run, data.source, tell(data.id));
				tell(data.id)(null);
			} else if (data.stop && c.stop) {
				c.stop();
			}
		} catch (err) {
			post({ id: data.id, error: err.message });
		}
	};
}

onmessage = ({ data }) => { ({ core, build, run })[data.role](); };
