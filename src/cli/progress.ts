import { MultiBar, type SingleBar } from 'cli-progress'
import type { Progress } from '../runtime/hub.ts'
import type { Terminal } from './wiring.ts'

export type ProgressBars = { readonly show: (event: Progress) => void; readonly stop: () => void }

/** Bars on a terminal, one a stream and direction; nothing elsewhere. */
export function openProgress(terminal: Terminal): ProgressBars {
  if (!terminal.interactive) return { show: () => undefined, stop: () => undefined }
  const bars = new Map<string, SingleBar>()
  const multi = new MultiBar({
    format: '  {what} {bar} {value}/{total}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    stream: terminal.err,
    clearOnComplete: false,
    fps: 8,
  })
  return {
    show(event) {
      const done = event.kind === 'observed' ? event.seen : event.sent
      const left =
        event.kind === 'observed' ? event.total : event.waiting === null ? null : done + event.waiting
      // A vendor that does not tell how many there are: the bar is full, the number grows.
      const total = Math.max(1, left ?? done)
      const what = `${event.kind === 'observed' ? 'read' : 'send'} ${event.target.label}`.padEnd(28)
      const bar = bars.get(what)
      if (bar === undefined) {
        if (done > 0) bars.set(what, multi.create(total, done, { what }))
        return
      }
      bar.setTotal(total)
      bar.update(done, { what })
    },
    stop: () => multi.stop(),
  }
}
