
// Below the player: has it play the page, whose cells and outputs say when they were.
const tools = document.getElementById("player");
const cells = [...document.querySelectorAll("main > .cell[data-begin]")];
const failures = cells.filter((cell) => cell.matches(".fail, .stopped"));
const changes = [];
const note = (at, node, name, on) => changes.push({ at: Number(at), node, name, on });
for (const cell of cells) {
	note(cell.dataset.begin, cell, "waiting", false);
	note(cell.dataset.begin, cell, "running", true);
	for (const node of cell.querySelectorAll("[data-at]")) {
		const { at, until } = node.dataset;
		note(at, node, until ? "gone" : "later", false);
		if (until) note(until, node, "gone", true);
	}
	note(cell.dataset.end, cell, "running", false);
}

const player = new Player(tools, 0);
for (const { at, node, name, on } of changes.sort((a, b) => a.at - b.at)) player.change(at, node, name, on);
player.finish();
const bar = tools.querySelector(".player");

const show = (node) => node.scrollIntoView({ block: "nearest" });

// visit shows a cell as it was when it had ended.
function visit(cell) {
	player.pause();
	player.seek(Number(cell.dataset.end));
	cell.scrollIntoView({ block: "start" });
	cell.focus({ preventScroll: true });
}

if (bar) {
	const follow = Object.assign(document.createElement("input"), { type: "checkbox", checked: true });
	const label = document.createElement("label");
	label.append(follow, " Follow");
	bar.append(label);
	let made = player.made;
	player.picture = { end: player.end, show() {
		if (player.playing && follow.checked && player.made > made) show(player.changes[player.made - 1].node);
		made = player.made;
	} };
	tools.hidden = false;
}
if (failures.length > 0) {
	let next = 0;
	const jump = Object.assign(document.createElement("button"), { type: "button", textContent: "✘ Next failure", onclick: () => visit(failures[next++ % failures.length]) });
	(bar ?? tools).append(jump);
	tools.hidden = false;
}
addEventListener("click", (e) => {
	const cell = cells.find((cell) => e.target.closest?.("header a")?.hash === "#" + cell.id);
	if (cell) setTimeout(() => visit(cell)); // after the browser has gone there
});
