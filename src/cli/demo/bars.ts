import { MultiBar, type SingleBar } from 'cli-progress'
import type { Progress } from '../../runtime/hub.ts'
import { number } from '../output.ts'
import type { Terminal } from '../wiring.ts'

/** Objects to read and writes to send, by stream. */
export type Totals = ReadonlyMap<string, { readonly read: number; readonly send: number }>
export type Bars = { show(event: Progress): void; stop(): void }

type Task = { readonly what: string; readonly total: number; done: number; readonly from: number; at: number }

/** A bar for each stream and direction on a terminal; elsewhere a line when each is done. */
export function openBars(terminal: Terminal, totals: Totals): Bars {
  const tasks = new Map<string, Task>()
  const drawn = terminal.interactive ? drawing(terminal) : writing(terminal)
  return {
    show(event) {
      const { label } = event.target
      const reads = event.kind === 'observed'
      const what = `${reads ? 'read' : 'send'} ${label}`
      const done = reads ? event.seen : event.sent
      const at = performance.now()
      if (done === 0) return
      let task = tasks.get(what)
      if (task === undefined) {
        // What is sent to one system may lead to more for another: the preview's count is a good guess.
        const expected = totals.get(label)?.[reads ? 'read' : 'send'] ?? 0
        task = { what, total: Math.max(expected, done), done: 0, from: at, at }
        tasks.set(what, task)
      }
      task.done = Math.max(task.done, done)
      task.at = at
      drawn.update(task)
    },
    stop: () => drawn.stop([...tasks.values()]),
  }
}

type Drawing = { update(task: Task): void; stop(tasks: readonly Task[]): void }

function drawing({ err }: Terminal): Drawing {
  const bars = new Map<string, SingleBar>()
  const multi = new MultiBar({
    format: '  {what} {bar} {numbers}',
    barCompleteChar: '━',
    barIncompleteChar: '·',
    barsize: 28,
    hideCursor: true,
    stream: err,
    clearOnComplete: false,
    forceRedraw: true,
    fps: 12,
  })
  return {
    update({ what, total, done }) {
      const all = Math.max(total, done)
      const shown = { what: what.padEnd(22), numbers: `${number(done)} of ${number(all)}` }
      const bar = bars.get(what)
      if (bar === undefined) bars.set(what, multi.create(all, done, shown))
      else {
        bar.setTotal(all)
        bar.update(done, shown)
      }
    },
    stop(tasks) {
      // What turned out to be less than was foreseen is done all the same.
      for (const { what, done } of tasks) {
        bars.get(what)?.setTotal(done)
        bars.get(what)?.update(done, { what: what.padEnd(22), numbers: number(done) })
      }
      multi.stop()
    },
  }
}

function writing({ out }: Terminal): Drawing {
  let current: Task | null = null
  const told = new Map<string, number>()
  const tell = (task: Task | null): void => {
    if (task === null || told.get(task.what) === task.done) return
    told.set(task.what, task.done)
    out.write(`  ${task.what.padEnd(22)} ${number(task.done).padStart(9)}\n`)
  }
  return {
    update(task) {
      if (current !== null && current !== task) tell(current)
      current = task
    },
    stop: () => tell(current),
  }
}
