// Style sheets are bundled by esbuild and have no types.
declare module "*.css";
