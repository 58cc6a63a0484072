// Printing opens every part; following a link into a folded part opens it. The page is whole without this.
addEventListener("beforeprint", () => document.querySelectorAll("details:not([open])").forEach((part) => { part.open = true; part.dataset.folded = ""; }));
addEventListener("afterprint", () => document.querySelectorAll("details[data-folded]").forEach((part) => { part.open = false; delete part.dataset.folded; }));
const unfold = () => { const part = location.hash && document.getElementById(location.hash.slice(1)); if (part && part.tagName === "DETAILS") { part.open = true; part.scrollIntoView(); } };
addEventListener("hashchange", unfold);
unfold();
