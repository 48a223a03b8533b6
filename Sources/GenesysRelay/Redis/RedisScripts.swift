/// The scripts that the server runs. Each is atomic, and works on Redis 5 and later and on Valkey.
///
/// Errors are returned, not raised: servers before 7 would wrap the words of one that is raised.
enum RedisScripts {
    /// The words before the first record, and those of a record.
    static let appendHead = 6
    static let appendRecord = 7

    /// Appends records, and moves the head.
    ///
    ///     KEYS  stream, head
    ///     ARGV  epoch, owner, sequence of the first record, cap or nothing, coveredUntil, source
    ///           for each record: the count of the numbers skipped before it, id, type, topic, time, correlation, data
    ///
    /// The reply is the sequence of the head; with the words of an error if only a part could be added. `FENCED` means
    /// another writer, `HOLE n` that record n is expected. Everything is checked before the first write.
    static let append = """
        local head = redis.pcall('HMGET', KEYS[2], 'epoch', 'owner', 'sequence')
        if head.err then return head end
        local epoch = tonumber(ARGV[1])
        local known = tonumber(head[1] or '0')
        local last = tonumber(head[3] or '0')
        if not known or not last then return {err = 'ERR ' .. KEYS[2] .. ' holds no head of a relay'} end
        if known > epoch or (known == epoch and head[2] ~= ARGV[2]) then
            return {err = 'FENCED the stream belongs to epoch ' .. string.format('%.0f', known)}
        end
        if known < epoch then last = 0 end
        local sequence = tonumber(ARGV[3])
        local first, expected
        for i = 7, #ARGV, 7 do
            local skipped = tonumber(ARGV[i])
            if i > 7 then sequence = sequence + skipped + 1 end
            if sequence > last then
                first = first or i
                if sequence - skipped ~= (expected or last + 1) or (skipped > 0 and ARGV[i + 2] ~= 'genesys.gap') then
                    return {err = 'HOLE ' .. string.format('%.0f', last + 1)}
                end
                expected = sequence + 1
            end
        end
        if not first then return last end
        local entry, failure
        sequence = tonumber(ARGV[3])
        for i = 7, #ARGV, 7 do
            if i > 7 then sequence = sequence + tonumber(ARGV[i]) + 1 end
            if i >= first then
                local reply
                if ARGV[i + 5] == '' then
                    reply = redis.pcall('XADD', KEYS[1], '*', 'id', ARGV[i + 1], 'type', ARGV[i + 2],
                        'topic', ARGV[i + 3], 'time', ARGV[i + 4], 'source', ARGV[6], 'data', ARGV[i + 6])
                else
                    reply = redis.pcall('XADD', KEYS[1], '*', 'id', ARGV[i + 1], 'type', ARGV[i + 2],
                        'topic', ARGV[i + 3], 'time', ARGV[i + 4], 'source', ARGV[6],
                        'correlation', ARGV[i + 5], 'data', ARGV[i + 6])
                end
                if type(reply) == 'table' and reply.err then
                    if not entry then return reply end
                    failure = reply.err
                    break
                end
                entry = reply
                last = sequence
            end
        end
        redis.call('HSET', KEYS[2], 'epoch', ARGV[1], 'owner', ARGV[2], 'sequence', string.format('%.0f', last),
            'id', entry, 'coveredUntil', ARGV[5], 'state', 'open')
        if ARGV[4] ~= '' then redis.pcall('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[4]) end
        if failure then return {last, failure} end
        return last
        """

    private static let readBoth = """
        local function both()
            local lease = redis.pcall('HMGET', KEYS[2], 'owner', 'epoch', 'revision', 'coveredUntil', 'state')
            if lease.err then return nil, lease end
            local head = redis.pcall('HMGET', KEYS[1], 'epoch', 'owner', 'sequence', 'coveredUntil', 'state')
            if head.err then return nil, head end
            return {lease, head}
        end

        """

    /// Reads the lease and the head.
    ///
    ///     KEYS  head, lease
    static let readLease =
        readBoth + """
            local found, failure = both()
            return found or failure
            """

    /// Replaces the lease if it has a revision, and reads both.
    ///
    ///     KEYS  head, lease
    ///     ARGV  the revision, or nothing if there must be no lease;
    ///           owner, epoch, revision, renewedAt, coveredUntil, state
    ///
    /// A server without memory refuses the first write of a script if it may add something. So the first one here
    /// removes nothing: a writer that waits for memory keeps its lease.
    static let replaceLease =
        readBoth + """
            local found, failure = both()
            if not found then return failure end
            if (found[1][3] or '') ~= ARGV[1] then return {0, found[1], found[2]} end
            local removed = redis.pcall('HDEL', KEYS[2], '-')
            if type(removed) == 'table' and removed.err then return removed end
            redis.call('HSET', KEYS[2], 'owner', ARGV[2], 'epoch', ARGV[3], 'revision', ARGV[4], 'renewedAt', ARGV[5],
                'coveredUntil', ARGV[6], 'state', ARGV[7])
            found, failure = both()
            if not found then return failure end
            return {1, found[1], found[2]}
            """

    /// Writes the end of a writer into the head and the lease, each only if it is the writer's.
    ///
    ///     KEYS  head, lease
    ///     ARGV  owner, epoch, coveredUntil or nothing, state of the head or nothing
    static let close = """
        redis.call('HDEL', KEYS[2], '-')
        local head = redis.call('HMGET', KEYS[1], 'epoch', 'owner')
        if head[1] == ARGV[2] and head[2] == ARGV[1] then
            if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'coveredUntil', ARGV[3]) end
            if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'state', ARGV[4]) end
        end
        if redis.call('HGET', KEYS[2], 'owner') == ARGV[1] then
            redis.call('HINCRBY', KEYS[2], 'revision', 1)
            if ARGV[3] ~= '' then redis.call('HSET', KEYS[2], 'coveredUntil', ARGV[3]) end
            redis.call('HSET', KEYS[2], 'state', 'released')
        end
        return 1
        """
}
