// Made by frontend/generate.py from semantic_rl.palette; do not change it here.

export const SCALE = ["#00224e", "#002e6a", "#1a386f", "#32436d", "#434e6c", "#535a6d", "#61656f", "#6f7073", "#7d7c78", "#8c8878", "#9b9476", "#aba072", "#bcae6c", "#cdbb63", "#dec958", "#f0d846", "#fee838"];
export const CATEGORIES = ["#332288", "#88CCEE", "#117733", "#DDCC77", "#CC6677", "#AA4499", "#44AA99"];
export const OTHER = "#BBBBBB";
export const INK_ON_OTHER = "#000000";
export const FAILED = "#D55E00";
export const SUCCEEDED = "#0072B2";
export const LOST = "#CC6677";
export const GAINED = ["#117733", "#44AA99", "#88CCEE", "#332288"];
