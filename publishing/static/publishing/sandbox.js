// New posts appear by themselves at the bottom, as in a messenger. Without this script the page shows them on reload.

const INTERVAL = 3000; // milliseconds between two looks for new posts
const NEAR = 160; // pixels from the bottom that still count as being there

const posts = document.getElementById("posts");
const down = document.getElementById("down");
const page = document.scrollingElement;

const isAtBottom = () => page.scrollHeight - page.scrollTop - page.clientHeight < NEAR;

const goDown = (behavior) => page.scrollTo({ top: page.scrollHeight, behavior });

function showWayDown() {
  down.hidden = isAtBottom();
  if (down.hidden) down.classList.remove("news");
}

function append(html) {
  const wasAtBottom = isAtBottom();
  posts.querySelector(".empty")?.remove();
  const piece = document.createRange().createContextualFragment(html);
  for (const day of piece.querySelectorAll(".day")) {
    if (posts.querySelector(`.day[data-day="${day.dataset.day}"]`)) day.remove();
  }
  for (const post of piece.querySelectorAll(".post")) post.classList.add("arrived");
  posts.append(piece);
  if (wasAtBottom) goDown("smooth");
  else down.classList.add("news");
  showWayDown();
}

async function look() {
  if (document.hidden) return;
  const last = [...posts.querySelectorAll(".post")].at(-1)?.dataset.number ?? "0";
  try {
    const answer = await fetch(`${posts.dataset.posts}?after=${last}`);
    if (answer.status === 200) append(await answer.text());
  } catch {
    // The server is away for a moment, as when it restarts; the next look will find it again.
  }
}

async function keepLooking() {
  await look();
  setTimeout(keepLooking, INTERVAL);
}

down.addEventListener("click", () => goDown("smooth"));
document.addEventListener("scroll", showWayDown, { passive: true });

if (posts.dataset.posts) {
  if (!location.hash) goDown("instant");
  setTimeout(keepLooking, INTERVAL);
}
showWayDown();
