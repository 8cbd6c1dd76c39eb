import { createHash } from "node:crypto";

/** Replaces a value of another Redis type: a list, a hash, a stream. It isn't a document. */
export const otherType = "(another Redis type)";

/** Stores or removes a text if the current value is as expected. Returns `{ 1 }`, or `{ 0, current value }`. */
export const swapScript = toScript(`
local match, expected, next, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local current = readText()
if type(current) == "table" then return current end
local same
if not current then
  same = match == "absent"
elseif match == "prefix" then
  same = string.sub(current, 1, #expected) == expected
else
  same = match == "exact" and current == expected
end
if not same then return { 0, current } end
if next == "" then
  redis.call("DEL", KEYS[1])
elseif ttl == "" then
  redis.call("SET", KEYS[1], next)
else
  redis.call("SET", KEYS[1], next, "PX", ttl)
end
return { 1 }
`);

/** Removes the value, and returns it. */
export const takeScript = toScript(`
local current = readText()
if type(current) == "string" then redis.call("DEL", KEYS[1]) end
return current
`);

/** Moves a value aside. On a cluster, the first key is the hash tag of the second, unless it has one, for one slot. */
export const setAsideScript = toScript(`
local key, expected, seconds = KEYS[1], ARGV[1], ARGV[2]
local current = readText()
if type(current) == "table" then return current end
if current ~= expected then return { 0, current } end
local aside = key .. ":unreadable"
if ARGV[3] == "cluster" and not string.find(key, "{[^}]+}") then
  aside = "{" .. key .. "}:unreadable"
end
redis.call("RENAME", key, aside)
redis.call("EXPIRE", aside, seconds)
return { 1 }
`);

/**
 * Changes a count that expires some seconds after its first change. Returns `{ count, milliseconds left }`.
 * Adding 0 only reads. A count is never below 0. If the value isn't a count, returns `{}`, and the value expires, too.
 */
export const countScript = toScript(`
local added, seconds = tonumber(ARGV[1]), tonumber(ARGV[2])
local text = readText()
if type(text) == "table" then return text end
local count = string.match(text or "0", "^%d+$") and tonumber(text or "0")
if not count or count > 2^50 then
  if redis.call("PTTL", KEYS[1]) < 0 then redis.call("EXPIRE", KEYS[1], seconds) end
  return {}
end
if (added == 0 and not text) or count + added < 0 then return { count, 0 } end
count = redis.call("INCRBY", KEYS[1], added)
local left = redis.call("PTTL", KEYS[1])
if left < 0 then
  redis.call("EXPIRE", KEYS[1], seconds)
  left = 1000 * seconds
end
return { count, left }
`);

/** Writes as calls do, to check whether Redis accepts writes. */
export const pingScript = toScript(`
local text = readText()
if type(text) == "table" then return text end
redis.call("SET", KEYS[1], "1", "EX", ARGV[1])
return { 1 }
`);

// --- Internal helpers ---

/** Precedes each script. `readText` returns a text, `false` if there is none, or the error of Redis. */
function toScript(body: string) {
  const lua = `
local function readText()
  local reply = redis.pcall("GET", KEYS[1])
  if type(reply) == "table" and reply.err and string.find(reply.err, "WRONGTYPE", 1, true) then
    return "${otherType}"
  end
  return reply
end
${body}`;
  return { lua, sha1: createHash("sha1").update(lua).digest("hex") };
}
