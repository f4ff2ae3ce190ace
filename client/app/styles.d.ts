/** Styles that a part of the script brings along. */
declare module '*.css'
