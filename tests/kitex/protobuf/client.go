// Package protobuf is Interop with messages in protobuf, for those who have it with messages in Thrift: the cases of the
// client, and the handlers of the server. Only their messages are converted; the calls are those of Kitex's generated code.
package protobuf

import (
	"context"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/client/callopt"
	"github.com/cloudwego/kitex/client/callopt/streamcall"
	"github.com/cloudwego/kitex/pkg/streaming"

	"streamxkitex/gen/interop"
	rpc "streamxkitex/gen/interop/interop"
	pb "streamxkitex/gen/protobuf/interop"
	pbrpc "streamxkitex/gen/protobuf/interop/interop"
)

type caller struct{ pb pbrpc.Client }

// NewClient returns a client of Interop that speaks protobuf.
func NewClient(options ...client.Option) rpc.Client {
	return caller{pbrpc.MustNewClient("interop", options...)}
}

func (c caller) Mirror(ctx context.Context, value *interop.Everything, options ...callopt.Option) (*interop.Everything, error) {
	return answer(fromEverything)(c.pb.Mirror(ctx, toEverything(value), options...))
}

func (c caller) Ping(ctx context.Context, packet *interop.Packet, options ...callopt.Option) (*interop.Packet, error) {
	return answer(fromPacket)(c.pb.Ping(ctx, toPacket(packet), options...))
}

func (c caller) Get(ctx context.Context, key string, options ...callopt.Option) (*interop.Packet, error) {
	return answer(fromPacket)(c.pb.Get(ctx, &pb.GetRequest{Key: key}, options...))
}

func (c caller) Add(ctx context.Context, a, b int64, options ...callopt.Option) (int64, error) {
	return answer((*pb.AddResponse).GetResult)(c.pb.Add(ctx, &pb.AddRequest{A: a, B: b}, options...))
}

func (c caller) Nothing(ctx context.Context, options ...callopt.Option) error {
	_, err := c.pb.Nothing(ctx, &pb.NothingRequest{}, options...)
	return err
}

func (c caller) Note(ctx context.Context, text string, options ...callopt.Option) error {
	_, err := c.pb.Note(ctx, &pb.NoteRequest{Text: text}, options...)
	return err
}

func (c caller) Notes(ctx context.Context, options ...callopt.Option) ([]string, error) {
	return answer((*pb.NotesResponse).GetResult)(c.pb.Notes(ctx, &pb.NotesRequest{}, options...))
}

func (c caller) Fail(ctx context.Context, command *interop.Command, options ...callopt.Option) (*interop.Packet, error) {
	return answer(fromPacket)(c.pb.Fail(ctx, toCommand(command), options...))
}

func (c caller) Told(ctx context.Context, options ...callopt.Option) (string, error) {
	return answer((*pb.ToldResponse).GetResult)(c.pb.Told(ctx, &pb.ToldRequest{}, options...))
}

func (c caller) Left(ctx context.Context, options ...callopt.Option) (int64, error) {
	return answer((*pb.LeftResponse).GetResult)(c.pb.Left(ctx, &pb.LeftRequest{}, options...))
}

func (c caller) Echo(ctx context.Context, options ...streamcall.Option) (rpc.Interop_EchoClient, error) {
	return opened(streaming.NewBidiStreamingClient[interop.Packet, interop.Packet])(c.pb.Echo(ctx, options...))
}

func (c caller) MirrorAll(ctx context.Context, options ...streamcall.Option) (rpc.Interop_MirrorAllClient, error) {
	stream, err := c.pb.MirrorAll(ctx, options...)
	return opened(streaming.NewBidiStreamingClient[interop.Everything, interop.Everything])(stream, err)
}

func (c caller) Upload(ctx context.Context, options ...streamcall.Option) (rpc.Interop_UploadClient, error) {
	return opened(streaming.NewClientStreamingClient[interop.Packet, interop.Packet])(c.pb.Upload(ctx, options...))
}

func (c caller) Gather(ctx context.Context, options ...streamcall.Option) (rpc.Interop_GatherClient, error) {
	return opened(streaming.NewClientStreamingClient[interop.Packet, interop.Packet])(c.pb.Gather(ctx, options...))
}

func (c caller) Download(ctx context.Context, command *interop.Command, options ...streamcall.Option) (rpc.Interop_DownloadClient, error) {
	stream, err := c.pb.Download(ctx, toCommand(command), options...)
	return opened(streaming.NewServerStreamingClient[interop.Packet])(stream, err)
}

func (c caller) Act(ctx context.Context, options ...streamcall.Option) (rpc.Interop_ActClient, error) {
	return opened(streaming.NewBidiStreamingClient[interop.Command, interop.Packet])(c.pb.Act(ctx, options...))
}

// answer converts what a unary call gave, unless it failed.
func answer[P, T any](from func(*P) T) func(*P, error) (T, error) {
	return func(got *P, err error) (T, error) {
		if err != nil {
			var none T
			return none, err
		}
		return from(got), nil
	}
}

// opened makes a stream of what a streaming call gave, unless it failed.
func opened[S any](typed func(streaming.ClientStream) S) func(streaming.ClientStream, error) (S, error) {
	return func(stream streaming.ClientStream, err error) (S, error) {
		if err != nil {
			var none S
			return none, err
		}
		return typed(clientStream{stream}), nil
	}
}
