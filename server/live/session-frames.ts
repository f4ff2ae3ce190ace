import type { Problem } from '../../shared/errors.ts'
import { limits } from '../../shared/limits.ts'
import { protocolVersion } from '../../shared/protocol.ts'
import { toLine } from '../bus/messages.ts'
import { textFrame } from './frame.ts'

/** What a socket is told first. */
export function welcomeFrame(node: string): Buffer {
  return textFrame(
    toLine({ type: 'welcome', protocol: protocolVersion, node, heartbeat: limits.heartbeatMs }),
  )
}

/** `thread` names the thread that the error is about. */
export function errorFrame(problem: Problem, thread?: string): Buffer {
  return textFrame(
    toLine({
      type: 'error',
      code: problem.code,
      message: problem.detail ?? problem.message,
      ...(problem.retryMs !== undefined && { retryMs: problem.retryMs }),
      ...(thread !== undefined && { thread }),
    }),
  )
}
