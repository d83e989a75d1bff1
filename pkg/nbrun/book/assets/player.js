// Shows a program's output at the times of its own clock: all at once or gradually,
// forwards and backwards.

const labels = { play: "▶ Play", pause: "⏸ Pause" };

// Player goes through changes over time: in each, a node gains or loses a class. Its
// controls go into an element. Speed is how many seconds pass on the program's clock in
// one of the reader's; 0 shows everything at once.
export class Player {
	constructor(element, speed) {
		this.element = element;
		this.speed = speed;
		this.changes = []; // {at, node, name, on}, in order of time
		this.made = 0; // how many of the changes have been made
		this.time = 0; // ns since the start
		this.end = 0;
		this.playing = speed > 0;
	}

	// change adds a change after all others, at a time in ns.
	change(at, node, name, on) {
		const ahead = at > this.time && (this.playing || this.made < this.changes.length);
		this.changes.push({ at, node, name, on });
		this.end = Math.max(this.end, at);
		if (ahead) node.classList.toggle(name, !on);
		else this.make(this.changes.length);
		if (this.playing && !this.frame) this.tick(performance.now());
	}

	// make makes the first count changes and undoes those after them.
	make(count) {
		for (; this.made < count; this.made++) {
			const { node, name, on } = this.changes[this.made];
			node.classList.toggle(name, on);
		}
		for (; this.made > count; this.made--) {
			const { node, name, on } = this.changes[this.made - 1];
			node.classList.toggle(name, !on);
		}
	}

	// show adds a living picture, which draw(width) makes for a width in pixels, and again
	// when the width changes: {element, end, show(ns)}, or null if there is nothing to show.
	// Its time runs with the player's, scaled, as the program may tell its story faster.
	show(draw) {
		let drawn = 0;
		const fit = () => {
			const width = this.element.clientWidth;
			if (this.body.parentNode !== this.element) return observer.disconnect(); // the element shows another run's output
			if (width === drawn || width === 0) return;
			drawn = width;
			const picture = draw(width);
			if (!picture || picture.end === 0) return observer.disconnect();
			this.picture?.element.remove();
			this.picture = picture;
			this.element.insertBefore(picture.element, this.body);
			this.animate();
		};
		const observer = new ResizeObserver(fit);
		observer.observe(this.element);
		fit();
	}

	// animate shows the picture as it was at the player's time.
	animate() { this.picture?.show(this.end > 0 ? this.time / this.end * this.picture.end : this.picture.end); }

	// seek shows the state at a time.
	seek(time) {
		this.time = Math.min(Math.max(time, 0), this.end);
		let count = this.made;
		while (count < this.changes.length && this.changes[count].at <= this.time) count++;
		while (count > 0 && this.changes[count - 1].at > this.time) count--;
		this.make(count);
		if (this.range) {
			this.range.value = this.time / 1e6;
			this.clock.value = `${(this.time / 1e9).toFixed(2)} / ${(this.end / 1e9).toFixed(2)} s`;
			this.range.setAttribute("aria-valuetext", `${(this.time / 1e9).toFixed(1)} seconds`);
		}
		this.animate();
	}

	tick(now) {
		this.frame = requestAnimationFrame((next) => {
			this.frame = null;
			if (!this.playing) return;
			this.seek(this.time + (next - now) * 1e6 * this.speed);
			if (this.time < this.end || !this.done) this.tick(next);
			else this.pause();
		});
	}

	play() {
		if (this.time >= this.end) this.seek(0);
		this.speed ||= 20;
		this.playing = true;
		this.button && (this.button.textContent = labels.pause);
		this.frame || this.tick(performance.now());
	}

	pause() {
		this.playing = false;
		this.button && (this.button.textContent = labels.play);
	}

	// step goes to the next or the previous change.
	step(by) {
		this.pause();
		const times = [...new Set(this.changes.map((i) => i.at))];
		const next = by > 0 ? times.find((t) => t > this.time) : times.findLast((t) => t < this.time);
		this.seek(next ?? (by > 0 ? this.end : 0));
	}

	// finish says that nothing more will come, and shows the controls if time has passed.
	finish() {
		this.done = true;
		if (this.end === 0) return;
		const make = (tag, props) => Object.assign(document.createElement(tag), props);
		const bar = make("div", { className: "player", role: "group" });
		bar.setAttribute("aria-label", "Replay");
		this.button = make("button", { type: "button", textContent: this.playing ? labels.pause : labels.play, onclick: () => this.playing ? this.pause() : this.play() });
		const back = make("button", { type: "button", textContent: "‹", title: "Previous step", onclick: () => this.step(-1) });
		const next = make("button", { type: "button", textContent: "›", title: "Next step", onclick: () => this.step(1) });
		this.range = make("input", { type: "range", min: 0, max: this.end / 1e6, step: "any", oninput: () => { this.pause(); this.seek(this.range.value * 1e6); } });
		this.range.setAttribute("aria-label", "Time of the story");
		this.clock = make("output", {});
		const speed = make("select", { onchange: () => { this.speed = Number(speed.value); } });
		speed.setAttribute("aria-label", "Speed of the replay");
		for (const s of [1, 5, 20, 100]) speed.add(new Option(s + "×", s, false, s === (this.speed || 20)));
		bar.append(this.button, back, next, this.range, this.clock, speed);
		this.element.prepend(bar);
		this.seek(this.playing ? this.time : this.end);
	}
}

// Outputs is a player that shows outputs in its element as they arrive.
export class Outputs extends Player {
	constructor(element, speed) {
		super(element, speed);
		element.replaceChildren();
		this.body = element.appendChild(document.createElement("div"));
	}

	// begin sets the time from which seconds are counted.
	begin(at) { this.start = at; }

	// add adds an output, as sanitized HTML, at a time in ns.
	add(at, html, output) {
		this.start ??= at;
		at = Math.max(at - this.start, this.end);
		const stream = output.kind === "stream";
		const node = document.createElement(stream ? "span" : "div");
		node.innerHTML = html;
		if (output.id) node.dataset.display = output.id;
		if (stream) {
			if (!this.pre) {
				this.pre = this.body.appendChild(document.createElement("pre"));
				Object.assign(this.pre, { className: "text", tabIndex: 0 }); // it may scroll
				this.last = null;
			}
			const open = !output.text?.endsWith("\n"); // the line continues
			if (output.text?.startsWith("\r")) { // it overwrites the current line
				if (this.last?.open) this.change(at, this.last.node, "later", true);
			} else if (this.last?.at === at && this.last.node.childNodes.length < 1000) {
				this.last.node.append(...node.childNodes);
				this.last.open = open;
				return;
			}
			this.last = { at, node, open };
			this.pre.append(node);
		} else {
			this.pre = null;
			this.body.append(node);
		}
		this.change(at, node, "later", false);
	}

	// update replaces the HTML of the displays with an ID.
	update(id, html) {
		for (const node of this.body.querySelectorAll("[data-display]")) if (node.dataset.display === id) node.innerHTML = html;
	}

	// clear removes everything.
	clear() {
		this.changes = [];
		this.made = 0;
		this.pre = null;
		this.body.replaceChildren();
	}
}
