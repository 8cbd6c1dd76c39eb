import type { StoredAnswer } from "../../storage/sessions/stored-answer.ts";
import type { SessionRecord } from "../../storage/sessions/session-record.ts";
import { keyLifetime, maxKeys } from "./list-keys.ts";

/** Finds the answer of a key, or the call with it that is still running. */
export function findAnswer(
  record: SessionRecord | undefined,
  id: string,
  now: number,
): StoredAnswer | undefined {
  return record?.answers?.find((answer) => answer.id === id && answer.at > now - keyLifetime);
}

/**
 * Adds an answer to a session, or replaces the one of the same key. An answer that is too large is stored without its
 * body, so that its call isn't executed twice.
 */
export function addAnswer(record: SessionRecord, answer: StoredAnswer): SessionRecord {
  // With undefined fields, the storage would parse the text that it has written.
  const entries = Object.entries(answer).filter(([, value]) => value !== undefined);
  const added = Object.fromEntries(entries) as unknown as StoredAnswer;
  const others = (record.answers ?? []).filter(
    ({ id, at }) => id !== added.id && at > added.at - keyLifetime,
  );
  let room = maxAnswersSize - 2;
  const newest: StoredAnswer[] = [];
  for (const next of [sizeOf(added) > room ? withoutBody(added) : added, ...others.toReversed()]) {
    room -= sizeOf(next) + 1;
    if (room < 0 || newest.length === maxKeys) break;
    newest.unshift(next);
  }
  return { ...record, answers: newest };
}

/** Removes the mark of a running call, unless another call has taken it over. */
export function removeMark(record: SessionRecord, id: string, holder: string): SessionRecord {
  const { answers } = record;
  if (!answers?.some((answer) => isMarkOf(answer, id, holder))) return record;
  return { ...record, answers: answers.filter((answer) => !isMarkOf(answer, id, holder)) };
}

// --- Internal helpers ---

/** The most bytes of JSON that the answers of a session take. The oldest ones are forgotten. */
const maxAnswersSize = 65_536;

function isMarkOf(answer: StoredAnswer, id: string, holder: string): boolean {
  return answer.id === id && answer.holder === holder;
}

function withoutBody(answer: StoredAnswer): StoredAnswer {
  const { id, fingerprint, at, status } = answer;
  return status === undefined ? { id, fingerprint, at } : { id, fingerprint, at, status };
}

function sizeOf(answer: StoredAnswer): number {
  return Buffer.byteLength(JSON.stringify(answer));
}
