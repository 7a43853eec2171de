package protobuf

import (
	"context"

	"github.com/cloudwego/kitex/pkg/streaming"
	"github.com/cloudwego/kitex/server"

	"streamxkitex/gen/interop"
	pb "streamxkitex/gen/protobuf/interop"
	pbrpc "streamxkitex/gen/protobuf/interop/interop"
)

type handlers struct{ thrift interop.Interop }

// NewServer returns a server of these handlers that speaks protobuf.
func NewServer(thrift interop.Interop, options ...server.Option) server.Server {
	return pbrpc.NewServer(&handlers{thrift}, options...)
}

func (h *handlers) Mirror(ctx context.Context, value *pb.Everything) (*pb.Everything, error) {
	return answer(toEverything)(h.thrift.Mirror(ctx, fromEverything(value)))
}

func (h *handlers) Ping(ctx context.Context, packet *pb.Packet) (*pb.Packet, error) {
	return answer(toPacket)(h.thrift.Ping(ctx, fromPacket(packet)))
}

func (h *handlers) Get(ctx context.Context, request *pb.GetRequest) (*pb.Packet, error) {
	return answer(toPacket)(h.thrift.Get(ctx, request.Key))
}

func (h *handlers) Add(ctx context.Context, request *pb.AddRequest) (*pb.AddResponse, error) {
	sum, err := h.thrift.Add(ctx, request.A, request.B)
	return &pb.AddResponse{Result: sum}, err
}

func (h *handlers) Nothing(ctx context.Context, _ *pb.NothingRequest) (*pb.NothingResponse, error) {
	return &pb.NothingResponse{}, h.thrift.Nothing(ctx)
}

func (h *handlers) Note(ctx context.Context, request *pb.NoteRequest) (*pb.NoteResponse, error) {
	return &pb.NoteResponse{}, h.thrift.Note(ctx, request.Text)
}

func (h *handlers) Notes(ctx context.Context, _ *pb.NotesRequest) (*pb.NotesResponse, error) {
	notes, err := h.thrift.Notes(ctx)
	return &pb.NotesResponse{Result: notes}, err
}

func (h *handlers) Fail(ctx context.Context, command *pb.Command) (*pb.Packet, error) {
	return answer(toPacket)(h.thrift.Fail(ctx, fromCommand(command)))
}

func (h *handlers) Told(ctx context.Context, _ *pb.ToldRequest) (*pb.ToldResponse, error) {
	told, err := h.thrift.Told(ctx)
	return &pb.ToldResponse{Result: told}, err
}

func (h *handlers) Left(ctx context.Context, _ *pb.LeftRequest) (*pb.LeftResponse, error) {
	left, err := h.thrift.Left(ctx)
	return &pb.LeftResponse{Result: left}, err
}

func (h *handlers) Echo(ctx context.Context, stream pb.Interop_EchoServer) error {
	return h.thrift.Echo(ctx, streaming.NewBidiStreamingServer[interop.Packet, interop.Packet](serverStream{stream}))
}

func (h *handlers) MirrorAll(ctx context.Context, stream pb.Interop_MirrorAllServer) error {
	return h.thrift.MirrorAll(ctx, streaming.NewBidiStreamingServer[interop.Everything, interop.Everything](serverStream{stream}))
}

func (h *handlers) Upload(ctx context.Context, stream pb.Interop_UploadServer) error {
	return h.thrift.Upload(ctx, streaming.NewClientStreamingServer[interop.Packet, interop.Packet](serverStream{stream}))
}

func (h *handlers) Gather(ctx context.Context, stream pb.Interop_GatherServer) error {
	return h.thrift.Gather(ctx, streaming.NewClientStreamingServer[interop.Packet, interop.Packet](serverStream{stream}))
}

func (h *handlers) Download(ctx context.Context, command *pb.Command, stream pb.Interop_DownloadServer) error {
	return h.thrift.Download(ctx, fromCommand(command), streaming.NewServerStreamingServer[interop.Packet](serverStream{stream}))
}

func (h *handlers) Act(ctx context.Context, stream pb.Interop_ActServer) error {
	return h.thrift.Act(ctx, streaming.NewBidiStreamingServer[interop.Command, interop.Packet](serverStream{stream}))
}
