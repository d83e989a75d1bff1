// Shows what a program has put out at the times of its own clock: at once or slower,
// forwards and backwards.

const labels = { play: "▶ Play", pause: "⏸ Pause" };

// Player shows outputs in an element. Speed is how many seconds of the program's clock
// pass in one of the reader's; 0 shows all at once.
export class Player {
	constructor(element, speed) {
		this.element = element;
		this.speed = speed;
		this.items = []; // {at, node, until}, by their time
		this.shown = 0; // how many of items are
		this.time = 0; // ns since the beginning
		this.end = 0;
		this.playing = speed > 0;
		element.replaceChildren();
		this.body = element.appendChild(document.createElement("div"));
	}

	// add adds an output, as HTML that has been made safe, at a time in ns. Updates are
	// for the display of the same ID.
	add(at, html, output) {
		this.start ??= at;
		at -= this.start;
		this.end = Math.max(this.end, at);
		const node = document.createElement(output.kind === "stream" ? "span" : "div");
		node.innerHTML = html;
		if (output.id) node.dataset.display = output.id;
		const last = this.items.at(-1);
		if (output.kind === "stream") {
			if (!this.pre) {
				this.pre = this.body.appendChild(document.createElement("pre"));
				Object.assign(this.pre, { className: "text", tabIndex: 0 }); // it may scroll
			}
			if (output.text?.startsWith("\r")) { // writes over the line that is being written
				if (last?.open) last.until = at;
			} else if (last && last.at === at && last.stream && last.node.childNodes.length < 1000) {
				last.open = !output.text?.endsWith("\n");
				last.node.append(...node.childNodes);
				return;
			}
			this.pre.append(node);
		} else {
			this.pre = null;
			this.body.append(node);
		}
		this.items.push({ at, node, stream: output.kind === "stream", open: output.kind === "stream" && !output.text?.endsWith("\n") });
		this.see(this.items.at(-1), !this.playing);
		if (last?.until === at) this.see(last, !this.playing);
		if (this.playing && !this.frame) this.tick(performance.now());
	}

	// begin sets the time that the first second counts from.
	begin(at) { this.start = at; }

	// show adds a picture that lives: {element, end, show(ns)}. Its time is the player's,
	// which may be another story's speed.
	show(picture) {
		this.picture = picture;
		this.element.insertBefore(picture.element, this.body);
	}

	// clear takes out what there is.
	clear() {
		this.items = [];
		this.pre = null;
		this.body.replaceChildren();
	}

	// see shows an output if there is one at the player's time, or at the end.
	see({ at, node, until }, end) {
		node.classList.toggle("later", end ? until !== undefined : at > this.time || until <= this.time);
	}

	// seek shows what there was at a time.
	seek(time) {
		this.time = Math.min(Math.max(time, 0), this.end);
		for (const item of this.items) this.see(item);
		if (this.range) {
			this.range.value = this.time / 1e6;
			this.clock.value = `${(this.time / 1e9).toFixed(2)} / ${(this.end / 1e9).toFixed(2)} s`;
			this.range.setAttribute("aria-valuetext", `${(this.time / 1e9).toFixed(1)} seconds`);
		}
		this.picture?.show(this.end > 0 ? this.time / this.end * this.picture.end : this.picture.end);
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

	// step goes to the next output, or the one before.
	step(by) {
		this.pause();
		const times = [...new Set(this.items.map((i) => i.at))];
		const next = by > 0 ? times.find((t) => t > this.time) : times.findLast((t) => t < this.time);
		this.seek(next ?? (by > 0 ? this.end : 0));
	}

	// finish says that nothing more comes, and shows the controls if time has passed.
	finish() {
		this.done = true;
		if (this.end === 0) return;
		const make = (tag, props) => Object.assign(document.createElement(tag), props);
		const bar = make("div", { className: "player", role: "group" });
		bar.setAttribute("aria-label", "Replay");
		this.button = make("button", { type: "button", textContent: this.playing ? labels.pause : labels.play, onclick: () => this.playing ? this.pause() : this.play() });
		const back = make("button", { type: "button", textContent: "‹", title: "The output before", onclick: () => this.step(-1) });
		const next = make("button", { type: "button", textContent: "›", title: "The next output", onclick: () => this.step(1) });
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
