-- `idempotency::step` once more, where the record is: one call is one step, and no other command
-- comes between its reading and its writing. What it must say the tests say, beside `step` itself.
--
-- The record at KEYS[1] is a hash: `h` the head, words with single spaces between them; `d` the
-- digest of key and head; `r` the result, whose digest is in the head. Times and fences are below
-- 2^53, all of which a number here can be. What does not change stays the word that it was: to make
-- numbers of words and words of numbers would be most of the work.
local LATEST, OPEN, COMPLETED, FAILED, RELEASED, QUARANTINED, DEAD = 9007199254740991, '0', '1', '2', '3', '4', '5'
local key, verb, call = KEYS[1], ARGV[1], redis.call
local clock = call('TIME')
local now = clock[1] * 1000000 + clock[2]
local own = #key .. ':' .. key

local function text(number) return string.format('%.0f', number) end
local function later(by) return math.min(now + by, LATEST) end

local state, owner, fence, attempts, quarantine, fingerprint, created, changed, ttl
local expires, lease_until, hard_deadline, codec, size, digest
local kept = call('HMGET', key, 'h', 'd')
local head, is_live, last_fence = kept[1], false, 0
if head then
  if string.sub(head, 1, 2) ~= '1 ' then
    local version = string.match(head, '^(%d+) ')
    if version then return {'newer', version} end
    return {'damaged', 'malformed'}
  end
  if kept[2] ~= redis.sha1hex(own .. head) then return {'damaged', 'checksum'} end
  state, owner, fence, attempts, quarantine, fingerprint, created, changed, ttl, expires, lease_until,
    hard_deadline, codec, size, digest = string.match(head, '^1 ([0-5]) (%w+) (%d+) (%d+) ([01]) (%w+) '
    .. '(%d+) (%d+) (%d+) (%w+) (%w+) (%w+) (%w+) (%w+) (%w+)$')
  last_fence = tonumber(fence)
  local is_open = state == OPEN
  if not state or last_fence >= LATEST or not (expires == 'no' or tonumber(expires))
    or is_open ~= (tonumber(lease_until) ~= nil) or is_open ~= (tonumber(hard_deadline) ~= nil) then
    return {'damaged', 'malformed'}
  end
  is_live = expires == 'no' or tonumber(expires) > now
elseif kept[2] or call('EXISTS', key) == 1 then
  return {'damaged', 'malformed'}
end

if verb == 'sweep' then
  if head and not is_live then call('DEL', key) return {'swept'} end
  return {'none'}
end

local function put(result)
  local new = '1 ' .. state .. ' ' .. owner .. ' ' .. fence .. ' ' .. attempts .. ' ' .. quarantine .. ' '
    .. fingerprint .. ' ' .. created .. ' ' .. changed .. ' ' .. ttl .. ' ' .. expires .. ' ' .. lease_until
    .. ' ' .. hard_deadline .. ' ' .. codec .. ' ' .. size .. ' ' .. digest
  local sum = redis.sha1hex(own .. new)
  if result then
    call('HSET', key, 'h', new, 'd', sum, 'r', result)
  else
    call('HSET', key, 'h', new, 'd', sum)
  end
  -- A minute later than it counts as expired: what is gone no sweep can count.
  if expires ~= 'no' then
    call('PEXPIREAT', key, text(math.ceil(expires / 1000) + 60000))
  elseif head then
    call('PERSIST', key)
  end
end

local function replay(name)
  return {name, head, kept[2], codec ~= 'no' and call('HGET', key, 'r') or ''}
end

if verb == 'get' then
  if not is_live then return {'none'} end
  return replay('record')
end

-- Its owner is gone or gave it up: it stays until somebody decides.
local function give_up(as)
  state, changed, expires, lease_until, hard_deadline = as, text(now), 'no', 'no', 'no'
  put()
end

if verb == 'claim' then
  local on_lost = ARGV[8]

  -- A claim that begins now.
  local function lease()
    local hard = later(ARGV[5])
    state, changed, hard_deadline = OPEN, text(now), text(hard)
    lease_until = text(math.min(later(ARGV[4]), hard))
    expires = on_lost == '0' and text(math.max(later(ARGV[6]), hard)) or 'no'
  end

  local function give(given)
    if codec and codec ~= 'no' then call('HDEL', key, 'r') end
    if not is_live then attempts, created = 0, text(now) end
    owner, fence = ARGV[2], text(math.min(math.max(last_fence + 1, now), LATEST))
    attempts = tostring(attempts + 1)
    quarantine, fingerprint, ttl, codec, size, digest = on_lost, ARGV[3], ARGV[6], 'no', 'no', 'no'
    lease()
    put()
    return {'owned', fence, attempts, lease_until, given}
  end

  if not is_live then return give('new') end
  -- Before anything is told of it: another's record is not this caller's to hear of.
  if fingerprint ~= ARGV[3] then return {'mismatch'} end
  if state == OPEN then
    if owner == ARGV[2] then
      lease()
      put()
      return {'owned', fence, attempts, lease_until, 'again'}
    end
    local left = lease_until - now
    if left > 0 then return {'in_progress', text(left)} end
    if quarantine == '1' or on_lost == '1' then
      give_up(QUARANTINED)
      return {'unknown', changed, '1'}
    end
    if tonumber(attempts) >= tonumber(ARGV[7]) then
      give_up(DEAD)
      return {'exhausted', attempts, '1'}
    end
    return give('taken_over')
  end
  if state == RELEASED then return give('released') end
  if state == QUARANTINED then return {'unknown', changed, '0'} end
  if state == DEAD then return {'exhausted', attempts, '0'} end
  return replay('replay')
end

-- It is over; from now on it is kept for as long as its terms say. A result is the last of what is
-- asked, after its codec and digest.
local function finish(as, has_payload)
  state, changed, expires, lease_until, hard_deadline = as, text(now), text(later(ttl)), 'no', 'no'
  local result
  if has_payload and ARGV[#ARGV - 2] ~= 'no' then
    result = ARGV[#ARGV]
    codec, digest, size = ARGV[#ARGV - 2], ARGV[#ARGV - 1], tostring(#result)
  end
  put(result)
  return {'done'}
end

if verb == 'resolve' or verb == 'reopen' then
  if not is_live then return {'undecidable', 'no'} end
  if not (state == QUARANTINED or state == DEAD or (state == OPEN and lease_until - now <= 0)) then
    return {'undecidable', state}
  end
  -- Nobody's any more: its owner, should it go on, is told what was decided.
  owner = 'no'
  if verb == 'resolve' then return finish(COMPLETED, true) end
  attempts = '0'
  return finish(RELEASED)
end

-- What is left is said by an owner.
if is_live and owner == ARGV[2] and fence == ARGV[3] then
  if verb == 'extend' and state == OPEN then
    local hard = tonumber(hard_deadline)
    if hard <= now then return {'at_cap'} end
    lease_until = text(math.max(math.min(later(ARGV[4]), hard), lease_until))
    put()
    return {'extended', lease_until}
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
end
if is_live and (state == COMPLETED or state == FAILED) then return replay('ended') end
return {'lease_lost'}
