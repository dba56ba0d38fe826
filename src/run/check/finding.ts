import type { Scope } from '../../model/scope.ts'
import { problemText } from '../report/problem-text.ts'

/** The result of one check. */
export interface Finding {
  /** The stream, the table or the database. */
  readonly location: string
  readonly isFault: boolean
  /** True for a recommendation. It is no fault. */
  readonly isAdvice?: true
  /** The result. For a fault: the problem and the remedy. */
  readonly text: string
}

/** What a question about a page has found: a fault, a recommendation, or a fact. */
export interface Remark {
  readonly type: 'problem' | 'advice' | 'note'
  readonly text: string
}

export const problem = (text: string): Remark => ({ type: 'problem', text })
export const advice = (text: string): Remark => ({ type: 'advice', text })
export const note = (text: string): Remark => ({ type: 'note', text })

/** What one check has found: a result, and remarks. */
export interface Checked {
  readonly text: string
  readonly remarks?: readonly Remark[]
}

/** Returns the result of a check and its remarks as findings. An error is a fault. */
export async function findingsOf(
  location: string,
  { secrets, signal }: Pick<Scope, 'secrets' | 'signal'>,
  look: () => Promise<Checked>,
): Promise<Finding[]> {
  try {
    const { text, remarks = [] } = await look()
    return [
      { location, isFault: false, text: secrets.hide(text) },
      ...remarks.map(({ type, text }): Finding => {
        const finding = { location, isFault: type === 'problem', text: secrets.hide(text) }
        return type === 'advice' ? { ...finding, isAdvice: true } : finding
      }),
    ]
  } catch (error) {
    signal.throwIfAborted()
    return [faultOf(location, { secrets }, error)]
  }
}

/** Returns an error as a fault. Its text does not repeat the location. */
export function faultOf(location: string, { secrets }: Pick<Scope, 'secrets'>, error: unknown): Finding {
  const text = secrets.hide(problemText(error, location))
  return { location, isFault: true, text: text.startsWith(`${location}: `) ? text.slice(location.length + 2) : text }
}
