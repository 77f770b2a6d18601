// Small parts pages are made of. Text goes in as text, never as markup.
import { currentLanguage, say } from "./sign-in.js";

const SVG = "http://www.w3.org/2000/svg";

function make(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export function el(tag, attributes = {}, ...children) {
  return make(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return make(document.createElementNS(SVG, tag), attributes, children);
}

function locale() {
  return currentLanguage() === "vi" ? "vi-VN" : "en-GB";
}

export function number(value) {
  return value === null || value === undefined ? "–" : new Intl.NumberFormat(locale()).format(value);
}

export function money(value) {
  return value === null || value === undefined ? "–" : `${number(value)}\u00a0đ`;
}

// A rate as the service rounded it ("27.8"), with the decimal sign of the language.
export function percent(text) {
  if (text === null || text === undefined) return "–";
  return `${currentLanguage() === "vi" ? String(text).replace(".", ",") : text}%`;
}

// 2024-09 → tháng 9/2024; 2024-09-05 or a moment → 05/09/2024.
export function monthText(month) {
  const [year, of] = month.split("-");
  return say(`Tháng ${Number(of)}/${year}`, `${of}/${year}`);
}

export function dayText(text) {
  return text ? text.slice(0, 10).split("-").reverse().join("/") : "–";
}

// 09:05:03 22/11/2026, in both languages: "short" would leave a year of two digits.
export function momentText(text) {
  const at = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone: "Asia/Ho_Chi_Minh" }).format(new Date(text));
  return `${at.slice(11)} ${dayText(at)}`;
}

// heads: [{text, number?, block?}] (block: on a phone the cell needs no head before it); rows: [{cells: [text or node], total?}]. The first cell of a row is its header.
// On a phone a table with `stack` becomes one block per row, each cell under its head.
export function table({ caption, heads, rows, stack = true }) {
  const body = rows.map(({ cells, total }) => el("tr", { class: total ? "total" : null }, ...cells.map((cell, index) => {
    const attributes = { class: heads[index].number ? "number" : heads[index].block ? "block" : null, "data-head": heads[index].text };
    return index === 0 ? el("th", { scope: "row", ...attributes }, cell) : el("td", attributes, cell);
  })));
  const head = heads.map(({ text, number: isNumber }) => el("th", { scope: "col", class: isNumber ? "number" : null }, text));
  const made = el("table", { class: stack ? "stack" : null }, el("caption", {}, caption), el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body));
  return el("div", { class: "wide", role: "region", "aria-label": caption, tabindex: "0" }, made);
}

// Horizontal bars; the table beside them says the same in text, so the drawing is one image to a screen reader.
// rows: [{label, value, text, part?}] with value and part (a darker part of the bar) on one scale.
export function bars({ label, rows, max }) {
  const top = max ?? Math.max(1, ...rows.map((row) => row.value));
  const long = (value) => `${Math.max(0, Math.min(100, (100 * value) / top))}%`;
  const lines = rows.map((row) => el("div", { class: "bar-row" }, el("span", {}, row.label), el("span", { class: "bar-value" }, row.text),
    svg("svg", { width: "100%", height: 9 },
      svg("rect", { width: "100%", height: 9, rx: 4, class: "bar-back" }),
      svg("rect", { width: long(row.value), height: 9, rx: 4, class: `bar-front ${row.kind ?? ""}` }))));
  return el("figure", { class: "chart" }, el("figcaption", {}, label), el("div", { role: "img", "aria-label": label }, ...lines));
}

// A drawing and its table, side by side where there is room.
export function pair(...parts) {
  return el("div", { class: "pair" }, ...parts);
}

// One figure with its name: a row of them opens a page.
export function figures(items) {
  return el("dl", { class: "figures" }, ...items.map(({ name, value, hint, kind }) => el("div", { class: kind ?? null },
    el("dt", {}, name), el("dd", {}, value), hint ? el("dd", { class: "hint" }, hint) : null)));
}
