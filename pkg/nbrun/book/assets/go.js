// Runs Go's WebAssembly on files in memory: the compiler, the linker, and the programs they
// build. Workers use it and, in tests, node does. wasm_exec.js must be loaded first.
"use strict";

const fail = (code) => Object.assign(new Error(code), { code });

// Files is a file system in memory.
class Files {
	constructor(entries = []) {
		this.entries = new Map(entries); // path: {data, size, mode, time, written} or {dir: true, mode, time}
		for (const dir of ["/", "/tmp", "/dev"]) this.entries.has(dir) || this.mkdirp(dir);
	}

	mkdirp(path) {
		for (let i = path.length; i > 0; i = path.lastIndexOf("/", i - 1)) {
			const dir = path.slice(0, i);
			if (!this.entries.has(dir)) this.entries.set(dir, { dir: true, mode: 0o777, time: 0 });
		}
		if (!this.entries.has("/")) this.entries.set("/", { dir: true, mode: 0o777, time: 0 });
	}

	put(path, data) { this.entries.set(path, { data, size: data.length, mode: 0o666, time: 0 }); }

	get(path) {
		const e = this.entries.get(path);
		return e && !e.dir ? e.data.subarray(0, e.size) : undefined;
	}
}

// System is what a process sees of files, folders and itself, with the part of node's
// interface that Go uses. Out receives what is written to stdout (1), stderr (2) and the
// pipe for displays (3); each write to the latter must be answered.
class System {
	constructor(files, cwd, out) {
		this.files = files;
		this.cwd = cwd;
		this.out = out;
		this.open = new Map();
		this.asked = 0; // displays not answered yet
		this.answers = new Uint8Array(0); // not read by the process yet
		this.idle = () => {}; // called when an answer changes nothing
		this.next = 10;
		this.fs = this.makeFS();
		this.process = {
			getuid: () => 1000, getgid: () => 1000, geteuid: () => 1000, getegid: () => 1000, getgroups: () => [],
			pid: 1, ppid: 0, umask: () => 0o22,
			cwd: () => this.cwd,
			chdir: (path) => {
				path = this.resolve(path);
				if (!this.entry(path).dir) throw fail("ENOTDIR");
				this.cwd = path;
			},
		};
		this.path = { resolve: (path) => this.resolve(path) };
	}

	resolve(path) {
		const parts = [];
		for (const part of (path.startsWith("/") ? path : this.cwd + "/" + path).split("/")) {
			if (part === "..") parts.pop();
			else if (part !== "" && part !== ".") parts.push(part);
		}
		return "/" + parts.join("/");
	}

	entry(path) {
		const e = this.files.entries.get(this.resolve(path));
		if (!e) throw fail("ENOENT");
		return e;
	}

	parent(path) {
		const dir = path.slice(0, path.lastIndexOf("/")) || "/";
		const e = this.files.entries.get(dir);
		if (!e) throw fail("ENOENT");
		if (!e.dir) throw fail("ENOTDIR");
	}

	children(path) {
		const prefix = path === "/" ? "/" : path + "/";
		return [...this.files.entries.keys()].filter((p) => p.startsWith(prefix) && p !== path && !p.slice(prefix.length).includes("/")).map((p) => p.slice(prefix.length)).sort();
	}

	stat(e) {
		return {
			isDirectory: () => !!e.dir, dev: 1, ino: 0, nlink: 1, uid: 1000, gid: 1000, rdev: 0, blksize: 4096,
			mode: e.pipe ? 0o10600 : e.device ? 0o20666 : (e.dir ? 0o40000 : 0o100000) | e.mode, size: e.size || 0, blocks: 0,
			atimeMs: e.time, mtimeMs: e.time, ctimeMs: e.time,
		};
	}

	grow(e, size) {
		if (size > e.data.length) {
			const data = new Uint8Array(Math.max(size, 2 * e.data.length));
			data.set(e.data.subarray(0, e.size));
			e.data = data;
		}
		if (size < e.size) e.data.fill(0, size, e.size);
		e.size = size;
	}

	handle(fd) {
		const h = this.open.get(fd);
		if (!h) throw fail("EBADF");
		return h;
	}

	openFile(path, flags, mode) {
		const { O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY } = constants;
		path = this.resolve(path);
		if (["/dev/null", "/dev/display", "/dev/answers"].includes(path)) {
			this.open.set(this.next, { e: { device: path, mode: 0, time: 0 }, writable: true });
			return this.next++;
		}
		let e = this.files.entries.get(path);
		const writable = (flags & (O_WRONLY | O_RDWR)) !== 0;
		if (e && flags & O_CREAT && flags & O_EXCL) throw fail("EEXIST");
		if (e && e.dir && writable) throw fail("EISDIR");
		if (e && !e.dir && flags & O_DIRECTORY) throw fail("ENOTDIR");
		if (!e) {
			if (!(flags & O_CREAT)) throw fail("ENOENT");
			this.parent(path);
			e = { data: new Uint8Array(0), size: 0, mode: mode & 0o777, time: 0 };
			this.files.entries.set(path, e);
		}
		if (writable && flags & O_TRUNC) this.grow(e, 0);
		this.open.set(this.next, { e, writable, append: (flags & O_APPEND) !== 0, at: 0 });
		return this.next++;
	}

	writeFile(fd, bytes, position) {
		if (fd === 1 || fd === 2) return this.out(fd, bytes.slice()), bytes.length;
		const h = this.handle(fd);
		if (!h.writable) throw fail("EBADF");
		if (h.e.device === "/dev/display") {
			this.asked++;
			this.out(3, bytes.slice());
		}
		if (h.e.device) return bytes.length;
		const at = h.append ? h.e.size : position ?? h.at;
		if (at + bytes.length > h.e.size) this.grow(h.e, at + bytes.length);
		h.e.data.set(bytes, at);
		h.e.written = true;
		if (position === null || position === undefined) h.at = at + bytes.length;
		return bytes.length;
	}

	readFile(fd, buffer, offset, length, position) {
		if (fd === 0) return 0;
		const h = this.handle(fd);
		if (h.e.dir) throw fail("EISDIR");
		if (h.e.device) return 0;
		const at = position ?? h.at;
		const part = h.e.data.subarray(Math.min(at, h.e.size), Math.min(at + length, h.e.size));
		buffer.set(part, offset);
		if (position === null || position === undefined) h.at = at + part.length;
		return part.length;
	}

	// answer provides the bytes that the process can read as the answer to a display.
	answer(bytes) {
		this.asked--;
		const all = new Uint8Array(this.answers.length + bytes.length);
		all.set(this.answers);
		all.set(bytes, this.answers.length);
		this.answers = all;
		if (!this.reader || all.length === 0) return setTimeout(this.idle);
		this.readAnswer(...this.reader);
	}

	// readAnswer calls back when there is something to read.
	readAnswer(buffer, offset, length, callback) {
		this.reader = [buffer, offset, length, callback];
		if (this.answers.length === 0) return;
		this.reader = null;
		const part = this.answers.subarray(0, length);
		this.answers = this.answers.slice(length);
		buffer.set(part, offset);
		callback(null, part.length);
	}

	remove(path, dir) {
		const e = this.entry(path);
		path = this.resolve(path);
		if (dir && !e.dir) throw fail("ENOTDIR");
		if (!dir && e.dir) throw fail("EISDIR");
		if (dir && this.children(path).length > 0) throw fail("ENOTEMPTY");
		this.files.entries.delete(path);
	}

	rename(from, to) {
		const e = this.entry(from);
		[from, to] = [this.resolve(from), this.resolve(to)];
		this.parent(to);
		const old = this.files.entries.get(to);
		if (old && old.dir && (!e.dir || this.children(to).length > 0)) throw fail("EEXIST");
		for (const [path, child] of [...this.files.entries]) {
			if (path === from || path.startsWith(from + "/")) {
				this.files.entries.delete(path);
				this.files.entries.set(to + path.slice(from.length), child);
			}
		}
	}

	makeFS() {
		const none = () => { throw fail("ENOSYS"); };
		const ops = {
			open: (path, flags, mode) => this.openFile(path, flags, mode),
			close: (fd) => { this.handle(fd); this.open.delete(fd); },
			fstat: (fd) => this.stat(fd <= 2 ? { pipe: true, time: 0 } : this.handle(fd).e),
			stat: (path) => this.stat(this.entry(path)),
			lstat: (path) => this.stat(this.entry(path)),
			mkdir: (path, mode) => {
				path = this.resolve(path);
				if (this.files.entries.has(path)) throw fail("EEXIST");
				this.parent(path);
				this.files.entries.set(path, { dir: true, mode: mode & 0o777, time: 0 });
			},
			readdir: (path) => {
				if (!this.entry(path).dir) throw fail("ENOTDIR");
				return this.children(this.resolve(path));
			},
			unlink: (path) => this.remove(path, false),
			rmdir: (path) => this.remove(path, true),
			rename: (from, to) => this.rename(from, to),
			chmod: (path, mode) => { this.entry(path).mode = mode & 0o777; },
			fchmod: (fd, mode) => { this.handle(fd).e.mode = mode & 0o777; },
			chown: (path) => { this.entry(path); },
			lchown: (path) => { this.entry(path); },
			fchown: (fd) => { this.handle(fd); },
			utimes: (path, _, mtime) => { this.entry(path).time = mtime * 1000; },
			truncate: (path, size) => this.grow(this.entry(path), size),
			ftruncate: (fd, size) => this.grow(this.handle(fd).e, size),
			fsync: () => {},
			readlink: (path) => { this.entry(path); throw fail("EINVAL"); },
			link: none,
			symlink: none,
			read: (fd, buffer, offset, length, position) => this.readFile(fd, buffer, offset, length, position),
			write: (fd, buffer, offset, length, position) => this.writeFile(fd, buffer.subarray(offset, offset + length), position),
		};
		const fs = { constants, writeSync: (fd, bytes) => this.writeFile(fd, bytes) };
		for (const [name, op] of Object.entries(ops)) {
			fs[name] = (...args) => {
				const callback = args.pop();
				let result;
				try {
					result = op(...args);
				} catch (err) {
					if (!err.code) throw err;
					return callback(err);
				}
				callback(null, result);
			};
		}
		const { read } = fs;
		fs.read = (fd, buffer, offset, length, position, callback) => this.open.get(fd)?.e.device === "/dev/answers"
			? this.readAnswer(buffer, offset, length, callback) : read(fd, buffer, offset, length, position, callback);
		return fs;
	}
}

const constants = { O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_EXCL: 128, O_TRUNC: 512, O_APPEND: 1024, O_DIRECTORY: 65536 };

// fakeStart is when Go's fake clock begins, in nanoseconds.
const fakeStart = 1257894000000000000n;

// runGo runs a program, on the real clock or the fake one, and resolves to its exit
// status. It rejects if the browser ends the program. A program that serves waits for
// calls. Memory is how many bytes it gets at once: whenever it asks for more, the browser
// may collect garbage.
async function runGo(module, { argv, env, system, realClock, serves, memory = 0 }) {
	const go = new Go();
	go.argv = argv;
	go.env = env;
	let status = 0;
	go.exit = (code) => {
		status = code;
		go._scheduledTimeouts.forEach(clearTimeout); // they would wake a program that has ended
		go._scheduledTimeouts.clear();
	};
	// func fakeStart() int64
	go.importObject.gojs["runtime.fakeStart"] = (sp) => go.mem.setBigInt64((sp >>> 0) + 8, realClock ? 0n : fakeStart, true);
	// Files in memory never block: a program that has returned to us, has no timer and has
	// not ended is deadlocked. Event 0 makes Go report that.
	let depth = 1;
	const resume = go._resume.bind(go);
	const checkDeadlock = () => {
		if (serves || depth > 0 || go.exited || system.asked > 0 || go._scheduledTimeouts.size > 0) return;
		go._pendingEvent = { id: 0 };
		depth++;
		resume();
	};
	go._resume = () => {
		depth++;
		try { resume(); } finally { depth--; }
		if (depth === 0) setTimeout(checkDeadlock); // once the timer is off the list
	};
	system.idle = checkDeadlock;
	const instance = await WebAssembly.instantiate(module, go.importObject);
	try {
		instance.exports.mem.grow(memory >> 16);
	} catch { /* it will ask for what it needs */ }
	const before = { fs: globalThis.fs, process: globalThis.process, path: globalThis.path };
	Object.assign(globalThis, { fs: system.fs, process: system.process, path: system.path });
	try {
		let crash;
		const done = go.run(instance);
		done.catch((err) => { crash = err; });
		depth = 0;
		await null;
		if (!crash) checkDeadlock();
		await done;
	} finally {
		Object.assign(globalThis, before);
	}
	return status;
}

// Toolchain compiles and links programs with the tools and packages of a site.
// Site.get(name) resolves to a file's content. Took(phase, ms) is called after each phase.
class Toolchain {
	constructor(site, took = () => {}) {
		this.site = site;
		this.took = took;
		this.files = new Files();
		this.files.mkdirp("/a");
		this.files.mkdirp("/o");
		this.modules = {};
	}

	// module resolves to the WebAssembly module of the compiler or the linker.
	async module(tool) {
		this.modules[tool] ??= this.timed("load " + tool, async () => WebAssembly.compile(await this.site.get(this.site.index[tool])));
		try {
			return await this.modules[tool];
		} catch (err) {
			delete this.modules[tool]; // it may be there next time
			throw err;
		}
	}

	async timed(phase, f) {
		const begin = performance.now();
		try {
			return await f();
		} finally {
			this.took(phase, performance.now() - begin);
		}
	}

	// prepare loads the tools before they are needed. Using them reports what goes wrong.
	prepare() {
		for (const tool of ["compile", "link"]) this.module(tool).catch(() => {});
	}

	// closure returns packages together with all that they need.
	closure(paths) {
		const all = new Set();
		const add = (path) => {
			const pkg = this.site.index.packages[path];
			if (all.has(path) || !pkg) return;
			all.add(path);
			pkg.imports.forEach(add);
		};
		paths.forEach(add);
		return [...all];
	}

	async load(paths) {
		await Promise.all(paths.map(async (path) => {
			const file = this.site.index.packages[path].file;
			if (!this.files.get("/a/" + file)) this.files.put("/a/" + file, await this.site.get(file));
		}));
	}

	// tool runs the compiler or the linker, and resolves to what it says and whether it succeeded.
	async tool(name, args) {
		const said = [];
		const system = new System(this.files, "/o", (_, bytes) => said.push(bytes));
		const module = await this.module(name);
		const status = await this.timed(name, () => runGo(module, {
			argv: [name, ...args], env: { GOOS: "js", GOARCH: "wasm", GOROOT: "/go", TMPDIR: "/tmp", GOGC: "off", GOMEMLIMIT: "256MiB" }, system, memory: 128 << 20, // collecting garbage took a third of the time
		}));
		return { ok: status === 0, said: new TextDecoder().decode(await new Blob(said).arrayBuffer()) };
	}

	// build builds a program from packages, in order: {path, main, source, imports}. It
	// resolves to {wasm}, or to {said}, the tools' messages.
	async build(packages) {
		const own = new Set(packages.map((p) => p.path));
		const imports = packages.flatMap((p) => p.imports).filter((p) => !own.has(p));
		const needed = this.closure([...imports, "runtime"]);
		for (const path of new Set(imports.map((p) => "instances/" + p))) { // the compiler looks for those of what is imported
			if (this.site.index.packages[path]?.imports.every((p) => needed.includes(p))) needed.push(path);
		}
		await this.timed("load packages", () => this.load(needed));
		const config = needed.map((path) => `packagefile ${path}=/a/${this.site.index.packages[path].file}\n`);
		const encode = (text) => new TextEncoder().encode(text);
		for (const p of packages) {
			this.files.put("/o/main.go", encode(p.source));
			this.files.put("/o/importcfg", encode(config.join("")));
			const object = `/o/${config.length}.a`;
			const { ok, said } = await this.tool("compile", ["-o", object, "-p", p.main ? "main" : p.path, "-complete", "-dwarf=false",
				"-lang=" + this.site.index.lang, "-importcfg", "/o/importcfg", "-pack", "/o/main.go"]);
			if (!ok) return { said };
			config.push(`packagefile ${p.path}=${object}\n`);
		}
		const main = config.pop().split("=")[1].trim();
		this.files.put("/o/importcfg", encode(config.join("")));
		const { ok, said } = await this.tool("link", ["-o", "/o/main.wasm", "-importcfg", "/o/importcfg", "-buildmode=exe", "-s", "-w", main]);
		if (!ok) return { said };
		const wasm = this.files.get("/o/main.wasm").slice();
		this.files.entries.delete("/o/main.wasm");
		return { wasm };
	}
}

Object.assign(globalThis, { Files, System, Toolchain, runGo });
