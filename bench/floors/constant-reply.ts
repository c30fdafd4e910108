// What the bare servers answer to every put.

export const putReply = Buffer.from(
  JSON.stringify({
    FailedRecordCount: 0,
    SequenceNumber: '49674026002850188218576229259473476449429298564223254594',
    ShardId: 'shardId-000000000000',
  }),
)
