// The menu of a narrow screen: a button opens the list of pages; choosing, Escape, or going on elsewhere closes it.
// A page needs <button id="menu-button" aria-expanded="false" aria-controls="menu"> and <nav id="menu">.
const menu = document.getElementById("menu");
const button = document.getElementById("menu-button");

export function openMenu(yes) {
  menu.classList.toggle("open", yes);
  button.setAttribute("aria-expanded", String(yes));
}

button.addEventListener("click", () => openMenu(!menu.classList.contains("open")));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && menu.classList.contains("open")) {
    openMenu(false);
    button.focus();
  }
});
document.addEventListener("focusin", (event) => {
  if (menu.classList.contains("open") && !menu.contains(event.target) && event.target !== button) openMenu(false);
});
