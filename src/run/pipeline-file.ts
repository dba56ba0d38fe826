import { extname } from 'node:path'

/** The endings of pipeline files, in the order in which a name is looked up. */
export const PIPELINE_ENDINGS = ['.ts', '.mts', '.js', '.mjs'] as const

/** True for a word of a command line that names a file, not a pipeline. */
export const isFile = (word: string): boolean => PIPELINE_ENDINGS.some((ending) => extname(word) === ending)

/** True for the name of a file that is taken for a pipeline in `pipelines/`. */
export const isPipelineFile = (name: string): boolean => isFile(name) && !/\.d\.m?ts$/.test(name)
