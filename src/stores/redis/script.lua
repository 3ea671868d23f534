-- `idempotency::step` once more, where the record is: one call is one step, and no other command
-- comes between its reading and its writing. What it must say the tests say, beside `step` itself.
--
-- The record at KEYS[1] is a hash: `h` the head, words with single spaces between them; `d` the
-- digest of key and head; `r` the result, whose digest is in the head. Times and fences are below
-- 2^53, all of which a number here can be.
local key, verb = KEYS[1], ARGV[1]
local LATEST, OPEN, COMPLETED, FAILED, RELEASED, QUARANTINED, DEAD = 9007199254740991, 0, 1, 2, 3, 4, 5
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

local function text(number) return string.format('%.0f', number) end
local function later(by) return math.min(now + by, LATEST) end
local function digest(head) return redis.sha1hex(#key .. ':' .. key .. head) end

local NUMBERS = {'state', false, 'fence', 'attempts', 'quarantine', false, 'created', 'changed', 'ttl'}
local OPTIONAL = {'expires', 'lease_until', 'hard_deadline', 'codec', 'size'}

-- A number of a head, or nil.
local function number(word)
  local read = #word <= 16 and string.find(word, '^%d+$') and tonumber(word)
  return read and read <= LATEST and read or nil
end

-- The record, nothing where there is none, or why it can't be read.
local function read()
  local kept = redis.call('HMGET', key, 'h', 'd')
  local head = kept[1]
  if not head then
    if not kept[2] and redis.call('EXISTS', key) == 0 then return nil end
    return nil, {'damaged', 'malformed'}
  end
  local version = string.match(head, '^(%d+) ')
  if not version then return nil, {'damaged', 'malformed'} end
  if version ~= '1' then return nil, {'newer', version} end
  if kept[2] ~= digest(head) then return nil, {'damaged', 'checksum'} end
  local words = {}
  for word in string.gmatch(head, '[^ ]+') do words[#words + 1] = word end
  if #words ~= 16 then return nil, {'damaged', 'malformed'} end
  local record = {owner = words[3], fingerprint = words[7], digest = words[16], head = head, sum = kept[2]}
  for at, name in ipairs(NUMBERS) do
    if name then
      record[name] = number(words[at + 1])
      if not record[name] then return nil, {'damaged', 'malformed'} end
    end
  end
  for at, name in ipairs(OPTIONAL) do
    local word = words[at + 10]
    record[name] = number(word)
    if word ~= '-' and not record[name] then return nil, {'damaged', 'malformed'} end
  end
  if record.state > DEAD or record.quarantine > 1 or record.fence >= LATEST
    or (record.state == OPEN) ~= (record.lease_until ~= nil)
    or (record.state == OPEN) ~= (record.hard_deadline ~= nil) then
    return nil, {'damaged', 'malformed'}
  end
  return record
end

local function optional(value) return value and text(value) or '-' end

-- `had` says whether there may be a result that goes; `result` is one that comes.
local function put(record, had, result)
  local head = table.concat({
    '1', text(record.state), record.owner, text(record.fence), text(record.attempts),
    text(record.quarantine), record.fingerprint, text(record.created), text(record.changed),
    text(record.ttl), optional(record.expires), optional(record.lease_until),
    optional(record.hard_deadline), optional(record.codec), optional(record.size), record.digest}, ' ')
  if result then
    redis.call('HSET', key, 'h', head, 'd', digest(head), 'r', result)
  else
    if had then redis.call('HDEL', key, 'r') end
    redis.call('HSET', key, 'h', head, 'd', digest(head))
  end
  -- A minute later than it counts as expired: what is gone no sweep can count.
  if record.expires then
    redis.call('PEXPIREAT', key, text(math.ceil(record.expires / 1000) + 60000))
  else
    redis.call('PERSIST', key)
  end
end

local kept, unreadable = read()
if unreadable then return unreadable end
local record = kept
if kept and kept.expires and kept.expires <= now then record = nil end

local function result()
  return record.codec and (redis.call('HGET', key, 'r') or '') or ''
end

-- Its owner is gone or gave it up: it stays until somebody decides.
local function give_up(state)
  record.state, record.changed, record.expires = state, now, nil
  record.lease_until, record.hard_deadline = nil, nil
  put(record)
end

-- It is over; from now on it is kept for as long as its terms say.
local function finish(state, with_payload)
  record.state, record.changed, record.expires = state, now, later(record.ttl)
  record.lease_until, record.hard_deadline = nil, nil
  local bytes
  if with_payload and ARGV[#ARGV - 2] ~= '-' then
    bytes = ARGV[#ARGV]
    record.codec, record.size, record.digest = tonumber(ARGV[#ARGV - 2]), #bytes, ARGV[#ARGV - 1]
  end
  put(record, false, bytes)
  return {'done'}
end

local function replay(name) return {name, record.head, record.sum, result()} end

local function refuse()
  if record and (record.state == COMPLETED or record.state == FAILED) then return replay('ended') end
  return {'lease_lost'}
end

if verb == 'get' then
  if not record then return {'none'} end
  return replay('record')
end

if verb == 'sweep' then
  if kept and not record then redis.call('DEL', key) return {'swept'} end
  return {'none'}
end

if verb == 'claim' then
  local owner, fingerprint, on_lost = ARGV[2], ARGV[3], tonumber(ARGV[8])
  local lease, max_lease, ttl, attempts = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])

  local function leased(new)
    new.state, new.changed = OPEN, now
    new.hard_deadline = later(max_lease)
    new.lease_until = math.min(later(lease), new.hard_deadline)
    new.expires = nil
    if on_lost == 0 then new.expires = math.max(later(ttl), new.hard_deadline) end
  end

  local function give(before, given)
    local fence = math.min(math.max((kept and kept.fence or 0) + 1, now), LATEST)
    local new = {
      owner = owner, fence = fence, attempts = (before and before.attempts or 0) + 1,
      quarantine = on_lost, fingerprint = fingerprint, created = before and before.created or now,
      ttl = ttl, digest = '-'}
    leased(new)
    put(new, kept and kept.codec)
    return {'owned', text(fence), text(new.attempts), text(new.lease_until), given}
  end

  if not record then return give(nil, 'new') end
  -- Before anything is told of it: another's record is not this caller's to hear of.
  if record.fingerprint ~= fingerprint then return {'mismatch'} end
  if record.state == OPEN and record.owner == owner then
    leased(record)
    put(record)
    return {'owned', text(record.fence), text(record.attempts), text(record.lease_until), 'again'}
  end
  if record.state == OPEN and now < record.lease_until then
    return {'in_progress', text(record.lease_until - now)}
  end
  if record.state == OPEN then
    if record.quarantine == 1 or on_lost == 1 then
      give_up(QUARANTINED)
      return {'unknown', text(now), '1'}
    end
    if record.attempts >= attempts then
      give_up(DEAD)
      return {'exhausted', text(record.attempts), '1'}
    end
    return give(record, 'taken_over')
  end
  if record.state == RELEASED then return give(record, 'released') end
  if record.state == QUARANTINED then return {'unknown', text(record.changed), '0'} end
  if record.state == DEAD then return {'exhausted', text(record.attempts), '0'} end
  return replay('replay')
end

if verb == 'resolve' or verb == 'reopen' then
  local state = record and record.state
  if not (state == QUARANTINED or state == DEAD or (state == OPEN and record.lease_until <= now)) then
    return {'undecidable', optional(state)}
  end
  -- Nobody's any more: its owner, should it go on, is told what was decided.
  record.owner = '-'
  if verb == 'resolve' then return finish(COMPLETED, true) end
  record.attempts = 0
  return finish(RELEASED)
end

-- What is left is said by an owner.
if not (record and record.owner == ARGV[2] and text(record.fence) == ARGV[3]) then return refuse() end
local state = record.state

if verb == 'extend' and state == OPEN then
  if record.hard_deadline <= now then return {'at_cap'} end
  record.lease_until = math.max(math.min(later(tonumber(ARGV[4])), record.hard_deadline), record.lease_until)
  put(record)
  return {'extended', text(record.lease_until)}
end
-- Also one that was given up: its true owner knows what nobody else does.
local is_open = state == OPEN or state == QUARANTINED or state == DEAD
if verb == 'complete' then
  if state == COMPLETED then return {'done'} end
  if is_open then return finish(COMPLETED, true) end
elseif verb == 'fail' then
  if state == FAILED then return {'done'} end
  if is_open then return finish(FAILED, true) end
elseif verb == 'release' then
  if state == RELEASED then return {'done'} end
  if state == OPEN then return finish(RELEASED) end
elseif verb == 'quarantine' then
  if state == QUARANTINED then return {'done'} end
  if state == OPEN then
    give_up(QUARANTINED)
    return {'done'}
  end
end
return refuse()
