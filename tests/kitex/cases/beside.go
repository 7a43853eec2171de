package cases

import (
	"context"
	"maps"

	"github.com/bytedance/gopkg/cloud/metainfo"

	"streamxkitex/gen/interop"
)

// beside is about what travels beside the messages. Header() and Trailer() are called once for each stream: a second call
// blocks for ever.
func beside() []Case {
	return []Case{
		{"metainfo", "streaming", streamMetainfo},
		{"header-and-trailer", "streaming", headerAndTrailer},
		{"header-with-first-message", "streaming", headerWithFirstMessage},
		{"trailer-of-biz-error", "streaming", trailerOfBizError},
		{"no-header-no-trailer", "streaming", noHeaderNoTrailer},
	}
}

// told is what a server says of withMetainfo. In gRPC keys are in capitals, with _ for -.
func (p *Peer) told() string {
	if p.overGRPC() {
		return "persistent [LOGID=a=b,USER_ID=42] transient [LOWER=1,TRACE_ID=Abc]"
	}
	return "persistent [LogID=a=b,User_Id=42] transient [lower=1,trace-ID=Abc]"
}

// withMetainfo has keys that keep their case, and empty values, which are not there.
func withMetainfo(ctx context.Context) context.Context {
	ctx = metainfo.WithPersistentValues(ctx, "User_Id", "42", "LogID", "a=b", "Empty", "")
	return metainfo.WithValues(ctx, "trace-ID", "Abc", "lower", "1", "empty", "")
}

// unaryMetainfo: messages without a TTHeader have no place for it.
func unaryMetainfo(ctx context.Context, p *Peer) {
	const nothing = "persistent [] transient []"
	want := p.told()
	if p.bare() {
		want = nothing
	}
	equal("metainfo", get(p.Client.Told(withMetainfo(ctx))), want)
	equal("metainfo", get(p.Client.Told(ctx)), nothing)
}

func streamMetainfo(ctx context.Context, p *Peer) {
	stream := act(withMetainfo(ctx), p, &interop.Command{What: "told"})
	equal("metainfo", receive(ctx, stream).Text, p.told())
	ended(ctx, stream)
	download := get(p.Client.Download(withMetainfo(ctx), &interop.Command{What: "told"}))
	equal("metainfo", receive(ctx, download).Text, p.told())
	ended(ctx, download)
}

// headerAndTrailer wants the header before any message.
func headerAndTrailer(ctx context.Context, p *Peer) {
	stream := act(ctx, p, &interop.Command{What: "headers"})
	holds("header", get(stream.Header()), map[string]string{"h1": "v1", "h2": "v2"})
	must(stream.CloseSend(ctx), "close")
	ended(ctx, stream)
	holds("trailer", get(stream.Trailer()), map[string]string{"t1": "v1"})
}

func headerWithFirstMessage(ctx context.Context, p *Peer) {
	stream := get(p.Client.Download(ctx, &interop.Command{What: "headers", Count: 3, Size: 10}))
	holds("header", get(stream.Header()), map[string]string{"h1": "v1"})
	packets(ctx, stream, 3, 10)
	holds("trailer", get(stream.Trailer()), map[string]string{"t1": "v1"})
	ended(ctx, stream)
}

func trailerOfBizError(ctx context.Context, p *Peer) {
	stream := act(ctx, p, &interop.Command{What: "headers-biz"})
	must(stream.CloseSend(ctx), "close")
	_, err := stream.Recv(ctx)
	isNoBalance(err)
	equal("trailer t1", get(stream.Trailer())["t1"], "v1")
}

// noHeaderNoTrailer: the trailer of a Kitex server lacks its map here, which a Kitex client calls an error.
func noHeaderNoTrailer(ctx context.Context, p *Peer) {
	stream := act(ctx, p, &interop.Command{What: "return"})
	holds("header", get(stream.Header()), nil)
	ended(ctx, stream)
	trailer, err := stream.Trailer()
	if p.Streamx {
		must(err, "trailer")
		holds("trailer", trailer, nil)
	} else {
		failsWith(err, "stream is closed")
	}
	uploading := get(p.Client.Upload(ctx))
	get(uploading.CloseAndRecv(ctx))
	if p.Streamx {
		holds("trailer", get(uploading.Trailer()), nil)
	}
	failing := act(ctx, p, &interop.Command{What: "fail"})
	_, err = failing.Recv(ctx)
	failsWith(err, "boom")
	if p.Streamx {
		holds("trailer", get(failing.Trailer()), nil)
	}
}

// holds wants these pairs and no other, but for the content type, which Kitex shows with those of gRPC.
func holds(what string, got, want map[string]string) {
	got = maps.Clone(got)
	delete(got, "content-type")
	if !maps.Equal(got, want) {
		fail("%s is %v, want %v", what, got, want)
	}
}
