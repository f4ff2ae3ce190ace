import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

// Absolute: the build looks for entries below the working directory, the development server below the root.
const client = fileURLToPath(new URL('client', import.meta.url))

export default defineConfig({
  root: client,
  build: {
    outDir: '../dist/public',
    emptyOutDir: true,
    manifest: true,
    target: ['chrome111', 'firefox114', 'safari16.4'],
    modulePreload: false,
    // Nothing is put into the page itself: the content policy allows files only.
    assetsInlineLimit: 0,
    rolldownOptions: {
      // What a thread needs at once is one file, for the site and for widgets.
      output: {
        codeSplitting: {
          groups: [
            {
              name: 'thread',
              test: /client\/(?:api|page-state|app\/(?:thread-view|page-text|connection|nearby-intersection)|views\/typing)\.ts$/,
            },
          ],
        },
      },
      input: {
        main: `${client}/app/main.ts`,
        styles: `${client}/app/main.css`,
        frame: `${client}/embed/frame/frame.tsx`,
        'frame-styles': `${client}/embed/frame/frame.css`,
        'frame-tools': `${client}/embed/frame/tools.css`,
      },
    },
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
})
