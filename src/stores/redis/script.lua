-- `idempotency::step` once more, where the record is: one call is one step, and no other command
-- comes between its reading and its writing. What it must say the tests say, beside `step` itself.
--
-- The record at KEYS[1] is a hash: `h` the head, words with single spaces between them; `d` the
-- digest of key and head; `r` the result, whose digest is in the head. Times and fences are below
-- 2^53, all of which a number here can be. What does not change stays the word that it was, and there
-- are no functions in here: to make numbers of words, words of numbers and functions that share all
-- these names would be most of the work.
local LATEST, OPEN, COMPLETED, FAILED, RELEASED, QUARANTINED, DEAD = 9007199254740991, '0', '1', '2', '3', '4', '5'
local key, verb, call = KEYS[1], ARGV[1], redis.call
local clock = call('TIME')
local now = clock[1] * 1000000 + clock[2]
local own = #key .. ':' .. key

local moment = string.format('%.0f', now)

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

if verb == 'get' then
  if not is_live then return {'none'} end
  return {'record', head, kept[2], codec ~= 'no' and call('HGET', key, 'r') or ''}
end

-- What is answered when it is kept. Whoever leaves the block below by `break` has said what is.
local reply, result, goes_on
repeat
  if verb == 'claim' then
    local given
    if not is_live then
      given = 'new'
    elseif fingerprint ~= ARGV[3] then
      -- Before anything is told of it: another's record is not this caller's to hear of.
      return {'mismatch'}
    elseif state == OPEN then
      local left = lease_until - now
      if owner == ARGV[2] then
        given = 'again'
      elseif left > 0 then
        return {'in_progress', string.format('%.0f', left)}
      elseif quarantine == '1' or ARGV[8] == '1' then
        state, reply = QUARANTINED, {'unknown', moment, '1'}
      elseif tonumber(attempts) >= tonumber(ARGV[7]) then
        state, reply = DEAD, {'exhausted', attempts, '1'}
      else
        given = 'taken_over'
      end
    elseif state == RELEASED then
      given = 'released'
    elseif state == QUARANTINED then
      return {'unknown', changed, '0'}
    elseif state == DEAD then
      return {'exhausted', attempts, '0'}
    else
      return {'replay', head, kept[2], codec ~= 'no' and call('HGET', key, 'r') or ''}
    end
    changed = moment
    if not given then
      -- It stays until somebody decides.
      expires, lease_until, hard_deadline = 'no', 'no', 'no'
      break
    end
    if given ~= 'again' then
      if codec and codec ~= 'no' then call('HDEL', key, 'r') end
      if not is_live then attempts, created = 0, moment end
      attempts, owner, fence = string.format('%.0f', attempts + 1), ARGV[2], moment
      if last_fence >= now then fence = string.format('%.0f', last_fence + 1) end
      quarantine, fingerprint, ttl, codec, size, digest = ARGV[8], ARGV[3], ARGV[6], 'no', 'no', 'no'
    end
    local hard = math.min(now + ARGV[5], LATEST)
    state, hard_deadline, expires = OPEN, string.format('%.0f', hard), 'no'
    lease_until = string.format('%.0f', math.min(now + ARGV[4], hard))
    if ARGV[8] == '0' then
      expires = string.format('%.0f', math.max(math.min(now + ARGV[6], LATEST), hard))
    end
    reply = {'owned', fence, attempts, lease_until, given}
    break
  end

  if verb == 'resolve' or verb == 'reopen' then
    if not is_live then return {'undecidable', 'no'} end
    if not (state == QUARANTINED or state == DEAD or (state == OPEN and lease_until - now <= 0)) then
      return {'undecidable', state}
    end
    -- Nobody's any more: its owner, should it go on, is told what was decided.
    owner = 'no'
    if verb == 'resolve' then
      goes_on, result = COMPLETED, true
    else
      goes_on, attempts = RELEASED, '0'
    end
  elseif is_live and owner == ARGV[2] and fence == ARGV[3] then
    if verb == 'extend' and state == OPEN then
      local hard = tonumber(hard_deadline)
      if hard <= now then return {'at_cap'} end
      lease_until = string.format('%.0f', math.max(math.min(now + ARGV[4], hard), lease_until))
      reply = {'extended', lease_until}
      break
    end
    -- Also one that was given up: its true owner knows what nobody else does.
    local is_open = state == OPEN or state == QUARANTINED or state == DEAD
    if verb == 'complete' then
      if state == COMPLETED then return {'done'} end
      if is_open then goes_on, result = COMPLETED, true end
    elseif verb == 'fail' then
      if state == FAILED then return {'done'} end
      if is_open then goes_on, result = FAILED, true end
    elseif verb == 'release' then
      if state == RELEASED then return {'done'} end
      if state == OPEN then goes_on = RELEASED end
    elseif verb == 'quarantine' then
      if state == QUARANTINED then return {'done'} end
      if state == OPEN then goes_on = QUARANTINED end
    end
  end
  if not goes_on then
    if is_live and (state == COMPLETED or state == FAILED) then
      return {'ended', head, kept[2], codec ~= 'no' and call('HGET', key, 'r') or ''}
    end
    return {'lease_lost'}
  end

  -- It is over; from now on it is kept for as long as its terms say, or until somebody decides.
  state, changed, expires, lease_until, hard_deadline, reply = goes_on, moment, 'no', 'no', 'no', {'done'}
  if state ~= QUARANTINED then expires = string.format('%.0f', math.min(now + ttl, LATEST)) end
  -- A result is the last of what is asked, after its codec and digest.
  if result and ARGV[#ARGV - 2] ~= 'no' then
    result = ARGV[#ARGV]
    codec, digest, size = ARGV[#ARGV - 2], ARGV[#ARGV - 1], tostring(#result)
  else
    result = nil
  end
until true

local new = '1 ' .. state .. ' ' .. owner .. ' ' .. fence .. ' ' .. attempts .. ' ' .. quarantine .. ' '
  .. fingerprint .. ' ' .. created .. ' ' .. changed .. ' ' .. ttl .. ' ' .. expires .. ' ' .. lease_until
  .. ' ' .. hard_deadline .. ' ' .. codec .. ' ' .. size .. ' ' .. digest
if result then
  call('HSET', key, 'h', new, 'd', redis.sha1hex(own .. new), 'r', result)
else
  call('HSET', key, 'h', new, 'd', redis.sha1hex(own .. new))
end
-- A minute later than it counts as expired: what is gone no sweep can count.
if expires ~= 'no' then
  call('PEXPIREAT', key, math.ceil(expires / 1000) + 60000)
elseif head then
  call('PERSIST', key)
end
return reply
