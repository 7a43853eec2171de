package cases

import (
	"context"
	"time"

	"github.com/cloudwego/kitex/client/callopt"

	"streamxkitex/gen/interop"
)

// brief is when an answer is given up that nobody will send.
const brief = 50 * time.Millisecond

// normal is what Kitex's own tests call normal: ten messages each way, with metainfo, a header and a trailer.
func normal() []Case {
	return []Case{
		{"normal-bidi-streaming", "streaming", normalBidiStreaming},
		{"normal-client-streaming", "streaming", normalClientStreaming},
		{"normal-server-streaming", "streaming", normalServerStreaming},
		{"whole-call-timeout", "streaming", wholeCallTimeout},
	}
}

func normalUnary() []Case {
	return []Case{
		{"normal-method", "unary", normalMethod},
		{"normal-unary", "unary", tenAnswers},
		{"unary-timeout", "unary", unaryTimeout},
		{"unary-timeout-is-told", "unary", unaryTimeoutIsTold},
	}
}

func normalBidiStreaming(ctx context.Context, p *Peer) {
	stream := act(withMetainfo(ctx), p, &interop.Command{What: "talk"})
	holds("header", get(stream.Header()), map[string]string{"h1": "v1"})
	equal("metainfo", receive(ctx, stream).Text, p.told())
	for n := range int64(10) {
		must(stream.Send(ctx, &interop.Command{Count: n}), "send")
		equal("number", receive(ctx, stream).Number, n)
	}
	must(stream.CloseSend(ctx), "close")
	ended(ctx, stream)
	holds("trailer", get(stream.Trailer()), map[string]string{"t1": "v1"})
}

func normalClientStreaming(ctx context.Context, p *Peer) {
	stream := get(p.Client.Gather(withMetainfo(ctx)))
	for n := range int64(10) {
		must(stream.Send(ctx, packet(n, 10)), "send")
	}
	answer, err := stream.CloseAndRecv(ctx)
	must(err, "close and receive")
	equal("count", answer.Number, 10)
	equal("metainfo", answer.Text, p.told())
	holds("header", get(stream.Header()), map[string]string{"h1": "v1"})
	holds("trailer", get(stream.Trailer()), map[string]string{"t1": "v1"})
}

func normalServerStreaming(ctx context.Context, p *Peer) {
	stream := get(p.Client.Download(withMetainfo(ctx), &interop.Command{What: "talk", Count: 10, Size: 10}))
	holds("header", get(stream.Header()), map[string]string{"h1": "v1"})
	equal("metainfo", receive(ctx, stream).Text, p.told())
	packets(ctx, stream, 10, 10)
	ended(ctx, stream)
	holds("trailer", get(stream.Trailer()), map[string]string{"t1": "v1"})
}

// wholeCallTimeout: a client of Kitex keeps it to itself.
func wholeCallTimeout(ctx context.Context, p *Peer) {
	bounded, cancel := context.WithTimeout(ctx, limit/2)
	defer cancel()
	echo(bounded, p, 3, 10)
	upload(bounded, p, 3, 10)
	download(bounded, p, 3, 10)
}

func tenAnswers(ctx context.Context, p *Peer) {
	ping(withMetainfo(ctx), p, 10, 100)
	unaryMetainfo(ctx, p)
	unaryBizError(ctx, p)
}

func unaryTimeout(ctx context.Context, p *Peer) {
	number := time.Now().UnixNano()
	_, err := p.Client.Fail(ctx, &interop.Command{What: "hold", Count: number}, callopt.WithRPCTimeout(brief))
	failsWith(err, "timeout")
	get(p.Client.Fail(ctx, &interop.Command{What: "release", Count: number}))
	ping(ctx, p, 1, 10)
	equal("number", get(p.Client.Fail(ctx, &interop.Command{What: "hold", Count: number})).Number, 1)
}

// unaryTimeoutIsTold: messages without a TTHeader have no place for it.
func unaryTimeoutIsTold(ctx context.Context, p *Peer) {
	left := get(p.Client.Left(ctx, callopt.WithRPCTimeout(limit/2)))
	if p.bare() {
		equal("time left", left, -1)
	} else if left <= 0 || left > (limit/2).Milliseconds() {
		fail("the server was told of %d ms, want at most %v", left, limit/2)
	}
}
