import vm from 'node:vm'

const call = new vm.Script('work()')
const room: { work: () => void } = { work: () => undefined }
const context = vm.createContext(room)

/**
 * What `work` returns, or `otherwise` where it throws or takes longer than `ms`. Libraries that read mail with regular
 * expressions can be made to backtrack for hours by one message; nothing but the engine's own interrupt ends that
 * (https://nodejs.org/api/vm.html, `timeout`). A watch takes a thread: 0.1 ms on an idle machine, 1 ms on a busy one.
 * `ms` null does without, for input too small to matter. Not for asynchronous work, nor within itself.
 */
export function within<Result>(ms: number | null, work: () => Result, otherwise: () => Result): Result {
  try {
    return ms === null ? work() : watched(ms, work)
  } catch {
    return otherwise()
  }
}

function watched<Result>(ms: number, work: () => Result): Result {
  const answers: Result[] = []
  room.work = () => void answers.push(work())
  try {
    call.runInContext(context, { timeout: ms })
  } finally {
    room.work = () => undefined
  }
  const [answer] = answers
  if (answer === undefined) throw new Error('the work ended without a result')
  return answer
}
