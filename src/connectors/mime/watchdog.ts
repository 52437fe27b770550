import vm from 'node:vm'

const call = new vm.Script('work()')
const room: { work: () => void } = { work: () => undefined }
const context = vm.createContext(room)

/**
 * What `work` returns, or `otherwise` where it throws or takes longer than `ms`. Libraries that read mail with regular
 * expressions can be made to backtrack for hours by one message; nothing but the engine's own interrupt ends that
 * (https://nodejs.org/api/vm.html, `timeout`). Costs about 0.1 ms a call. Not for asynchronous work, nor within itself.
 */
export function within<Result>(ms: number, work: () => Result, otherwise: () => Result): Result {
  const answers: Result[] = []
  room.work = () => void answers.push(work())
  try {
    call.runInContext(context, { timeout: ms })
  } catch {
    return otherwise()
  } finally {
    room.work = () => undefined
  }
  const [answer] = answers
  return answer === undefined ? otherwise() : answer
}
