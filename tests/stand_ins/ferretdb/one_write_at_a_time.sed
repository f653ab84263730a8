# FerretDB 1.24 reads a document and writes it back without a lock between: two findAndModify may
# return the same document. Here the commands that write run one at a time, as MongoDB's are atomic.
s|^	"path/filepath"$|&\n	"sync"|
s|^func (c \*conn) handleOpMsg(|var writing sync.Mutex\n\n&|
/^		return cmd.Handler(connCtx, msg)$/i\
		switch command {\
		case "insert", "update", "delete", "findAndModify", "findandmodify":\
			writing.Lock()\
			defer writing.Unlock()\
		}\

