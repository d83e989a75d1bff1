import { defaultKeymap, history, historyKeymap, indentLess, insertTab } from "@codemirror/commands";
import { goLanguage } from "@codemirror/lang-go";
import { HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { setDiagnostics } from "@codemirror/lint";
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

// The classes are those of the highlighting in the page, so that both look the same.
const style = HighlightStyle.define([
	{ tag: tags.keyword, class: "k" },
	{ tag: tags.string, class: "s" },
	{ tag: tags.special(tags.string), class: "s" },
	{ tag: tags.number, class: "m" },
	{ tag: tags.comment, class: "c1" },
	{ tag: tags.typeName, class: "kt" },
	{ tag: tags.bool, class: "kc" },
	{ tag: tags.function(tags.variableName), class: "nf" },
]);

// edit puts an editor into an element, and returns it. Change is called with the text
// whenever that has changed. Escape leaves the editor, as Tab writes a tab.
export function edit(parent, text, label, change, run) {
	const leave = () => { parent.focus(); return true; };
	return new EditorView({
		parent,
		doc: text,
		extensions: [
			history(), lineNumbers(), drawSelection(), highlightActiveLine(), goLanguage, syntaxHighlighting(style),
			indentUnit.of("\t"), EditorView.lineWrapping, EditorView.contentAttributes.of({ "aria-label": label }),
			keymap.of([
				{ key: "Shift-Enter", run: () => { run(); return true; } }, { key: "Mod-Enter", run: () => { run(); return true; } },
				{ key: "Tab", run: insertTab, shift: indentLess }, { key: "Escape", run: leave },
				...defaultKeymap, ...historyKeymap,
			]),
			EditorView.updateListener.of((u) => { if (u.docChanged) change(u.state.doc.toString()); }),
		],
	});
}

// set puts another text into an editor.
export function set(view, text) {
	view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}

// mark marks faults: {line, column, text}, counted from 1, columns in bytes. No faults
// clear the marks.
export function mark(view, faults) {
	const doc = view.state.doc;
	const diagnostics = faults.filter((f) => f.line >= 1 && f.line <= doc.lines).map((f) => {
		const line = doc.line(f.line);
		const bytes = new TextEncoder().encode(line.text).subarray(0, Math.max(0, (f.column || 1) - 1));
		const from = Math.min(line.from + new TextDecoder().decode(bytes).length, line.to);
		const word = /^\w+/.exec(doc.sliceString(from, line.to));
		return { from, to: Math.min(from + (word ? word[0].length : 1), line.to), severity: "error", message: f.text };
	});
	view.dispatch(setDiagnostics(view.state, diagnostics));
	if (diagnostics.length > 0) view.dispatch({ effects: EditorView.scrollIntoView(diagnostics[0].from) });
}
