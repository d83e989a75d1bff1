// Draws a run of producers and consumers as it is at one moment: what is in the queue,
// who is working on what, and how long each item has waited.

const travel = 0.25e9; // ns that an item is in transit
const long = 5e9; // ns; a wait this long is fully red
const svg = (tag, attributes, text) => {
	const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
	if (text !== undefined) e.textContent = text;
	return e;
};
const still = matchMedia("(prefers-reduced-motion: reduce)");

// living returns a picture of a record, {element, name, end, show(ns)}, or null if nothing
// happens in it. Its text has its normal size when it is that many pixels wide.
export function living({ name, events }, pixels) {
	const items = new Map(); // by producer and number: when each was made, picked up and gone, and by whom
	let producers = 1, consumers = 1, end = 0;
	for (const e of events) {
		const key = e.producer + " " + e.number;
		const item = items.get(key) ?? items.set(key, { producer: e.producer, number: e.number, made: 0, picked: Infinity, gone: Infinity }).get(key);
		if (e.kind === "made") item.made = e.at;
		else if (e.kind === "picked up") Object.assign(item, { picked: e.at, consumer: e.consumer || 1 });
		else item.gone = Math.min(item.gone, e.at);
		producers = Math.max(producers, e.producer);
		consumers = Math.max(consumers, e.consumer || 1);
		end = Math.max(end, e.at);
	}
	if (items.size === 0) return null;
	const all = [...items.values()].sort((a, b) => a.made - b.made);
	const height = 44 + 40 * Math.max(producers, consumers, 2), graph = 64; // below it: the queue's length
	const width = Math.min(Math.max(pixels, 300), 640), side = width < 480 ? 42 : 60, left = 2 * side + 10, right = width - left;
	const root = svg("svg", { class: "living", viewBox: `0 0 ${width} ${height + graph}`, role: "img", "aria-label": `The run ${name} as it is at the time of the replay` });
	const label = (x, y, text, anchor = "middle") => svg("text", { x, y, "text-anchor": anchor, fill: "currentColor", "font-size": 12 }, text);
	const row = (i, n) => 44 + ((height - 60) * (i - 0.5)) / n;
	root.append(label(2, 16, "made by", "start"), label(width / 2, 16, "queue"), label(width - 2, 16, "worked on by", "end"));
	for (let i = 1; i <= producers; i++) root.append(svg("circle", { cx: side, cy: row(i, producers), r: 13, fill: "none", stroke: "var(--yellow)", "stroke-width": 2 }));
	for (let i = 1; i <= consumers; i++) root.append(svg("circle", { cx: width - side, cy: row(i, consumers), r: 13, fill: "none", stroke: "var(--cyan)", "stroke-width": 2 }));
	root.append(svg("rect", { x: left, y: 26, width: right - left, height: height - 40, rx: 6, fill: "none", stroke: "var(--line)" }));
	const layer = root.appendChild(svg("g", {}));
	const said = root.appendChild(label(width / 2, height - 2, ""));

	const cursor = lengths(root, all, end, [side, width - side], height + 8, graph - 12);

	const middle = height / 2 + 6;
	const columns = Math.floor((right - left - 8) / 18), rows = Math.floor((height - 56) / 18);
	const slot = (i) => {
		i = Math.min(i, columns * rows - 1); // those for which there is no room lie on the last
		const row = Math.floor(i / columns);
		return [right - 13 - 18 * (i % columns), middle + 18 * Math.ceil(row / 2) * (row % 2 ? -1 : 1)];
	};
	const between = (a, b, t) => [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];
	const show = (now) => {
		layer.replaceChildren();
		let waiting = 0, longest = 0;
		for (const item of all) {
			if (item.made > now) break;
			if (item.gone <= now) continue;
			const age = Math.min(now, item.picked) - item.made;
			let at;
			if (item.picked <= now) {
				const there = [width - side, row(item.consumer, consumers)];
				const part = still.matches ? 1 : Math.min((now - item.picked) / travel, 1);
				at = between([right, middle], there, part);
			} else {
				const part = still.matches ? 1 : Math.min((now - item.made) / travel, 1);
				at = between([side, row(item.producer, producers)], slot(waiting), part);
				waiting++;
				longest = Math.max(longest, age);
			}
			const red = Math.round(100 * Math.min(age / long, 1));
			const colour = `color-mix(in oklab, var(--bad) ${red}%, ${item.picked <= now ? "var(--cyan)" : "var(--yellow)"})`;
			const size = 6 + 2 * Math.min(age / long, 1);
			layer.append(svg("circle", { cx: at[0], cy: at[1], r: size, fill: colour }, ""));
		}
		cursor(now);
		said.textContent = `${(now / 1e9).toFixed(1)} s · ${waiting} in the queue` + (waiting ? `, the oldest for ${(longest / 1e9).toFixed(1)} s` : "");
	};
	show(end);
	return { element: root, name, end, show };
}

// lengths draws the queue's length over time and returns a function that moves the mark of
// the current time.
function lengths(root, all, end, [left, right], top, height) {
	const changes = all.flatMap((item) => [[item.made, 1], [Math.min(item.picked, item.gone), -1]]).filter(([at]) => at <= end);
	const by = new Map(); // how many come or go at a time: an item handed over directly was never in the queue
	for (const [at, n] of changes) by.set(at, (by.get(at) ?? 0) + n);
	const steps = [...by].sort(([a], [b]) => a - b);
	const x = (at) => left + (right - left) * at / (end || 1);
	let length = 0, most = 1;
	for (const [, n] of steps) most = Math.max(most, length += n);
	length = 0;
	const y = () => (top + height - height * length / most).toFixed(1);
	let path = `M${left} ${y()}`;
	for (const [at, n] of steps) {
		path += `H${x(at).toFixed(1)}`;
		length += n;
		path += `V${y()}`;
	}
	root.append(svg("path", { d: path + `H${right}V${top + height}H${left}Z`, fill: "var(--yellow)", "fill-opacity": 0.25, stroke: "var(--yellow)" }));
	for (const [text, at] of [[most, top + 10], [0, top + height]]) root.append(svg("text", { x: left - 4, y: at, "text-anchor": "end", fill: "currentColor", "font-size": 12 }, text));
	root.append(svg("text", { x: right + (left < 60 ? 2 : 8), y: top + height, fill: "currentColor", "font-size": 12 }, `${(end / 1e9).toFixed(1)} s`));
	const mark = root.appendChild(svg("path", { stroke: "var(--accent)" }));
	return (now) => mark.setAttribute("d", `M${x(now).toFixed(1)} ${top}V${top + height}`);
}
