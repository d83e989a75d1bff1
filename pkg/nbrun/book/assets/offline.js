// Keeps the pages that have been read for use offline. The workers keep the large files.
const name = "go-book-pages";

addEventListener("activate", (e) => e.waitUntil(clients.claim()));

addEventListener("fetch", (e) => {
	const url = new URL(e.request.url);
	if (e.request.method !== "GET" || url.origin !== location.origin || url.pathname.endsWith(".bin")) return;
	e.respondWith((async () => {
		const kept = await caches.open(name);
		try {
			const response = await fetch(e.request);
			if (response.ok) await kept.put(e.request, response.clone()).catch(() => {});
			return response;
		} catch (err) {
			const old = await kept.match(e.request, { ignoreSearch: true });
			if (old) return old;
			throw err;
		}
	})());
});
