package satochip

import (
	"bytes"
	"context"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/airlock-signer/airlock/reader/apdu"
)

// Four exchanges of the published applet v0.12-0.6, recorded in a simulator:
// two openings of the channel and, in the second, its fifth message, EXPORT
// AUTHENTIKEY. The test's own, so that the channel is tested where the full
// recordings are not.
const (
	hostKey1   = "bf34e11be896329b6ea5410d94c774cbde19d0603226acef1d16453067e3e4ab"
	openReply1 = "0020e14b8662a960728a018f5fea5ade0f0cb7eebe882c1eb538800331b322139c6100473045022040a6bd91b39fab8e8592890e881c9b0c5f9db784fb325195e262c93520fce68e022100c1020faafe04b2fdeccb05cfc71d32f5c99b7bdb4cc5e1ee5a4fc94c12598bbe0046304402200b51a568406f839b63dd8e98f606637e45942ee23215eeed93e34067d0da176802201b1d6657054fa8cac565e6cac11d187a3674db5f37e759285a2e8f45ee66ada09000"
	hostKey2   = "24f7c046fa1fff03aa6631422b1976acd913bc667b5bb3c2bb647ffd78385813"
	openReply2 = "0020d6479e8526c279ff68367101fc4742b78ff622251b3859c459c21da1247bdbf500483046022100cb21ab13f6f4ee0899d437582e2093671927d4a425a812aa48eea7bfb28237dc022100b613122bfa391373bfbb64e656edc57f26f0bb66e61438960887207802c6e8ae00473045022100e6a814c8b056de5b50a82b06ee765006a1461c7c917f1bd045ec82ec7f085ecb02200d0bfa42e8b0893a53af9dd96c799cc10674aa6aca981fdb4828e30f2c4f53319000"
	exportIV   = "7e8314ef54ad9606b4d8269f"
	exportCmd  = "b0820000387e8314ef54ad9606b4d8269f00000009001079caa27540b542812b9ccd9c43dc863b00143eb97848ef1ca3e38d696a79a46f50b529bfb92c"
	exportAns  = "a0f06557f5af1abc5c65c77a0000000a0070ff161182e621108c6e617509ba33da0d354d4d99da931f9ad4f45b516cb0a16497f609e00ab2867653da494b982af50c2429c41d545a71b3a6e6faa887ce46f16b4fc52b7ff9f2f452a3b84b7ceec97d466ecab3da5829f5c5f1c3fb7079b58ca2e0bcd4202fe69d2e2efc12452bb0e29000"
	theKey     = "024bb61cda340ac59bece36e118a98cc5ff2d8500863837c769256856bccb06c76"
)

func TestRecordedChannel(t *testing.T) {
	tp := &tape{t: t, exchanges: []recorded{
		{Note: "opening", C: "b081000041" + hostPoint(t, hostKey1), R: openReply1},
		{Note: "opening again", C: "b081000041" + hostPoint(t, hostKey2), R: openReply2},
		{Note: "EXPORT AUTHENTIKEY", C: exportCmd, R: exportAns},
	}}
	ctx := context.Background()
	l := link{t: tp, random: bytes.NewReader(unhex(t, hostKey1+hostKey2+exportIV))}
	first, err := l.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	second, err := l.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	id, err := common(first.candidates, second.candidates)
	if err != nil || hex.EncodeToString(id.SerializeCompressed()) != theKey {
		t.Fatalf("identity %v %v", id, err)
	}
	l.channel.counter = 7 // four messages went before
	key, err := l.authentikey(ctx, insExportAuthKey)
	if err != nil || !key.IsEqual(id) {
		t.Fatalf("proof %v %v", key, err)
	}
	if l.channel.counter != 9 {
		t.Errorf("counter %d", l.channel.counter)
	}
}

func hostPoint(t *testing.T, key string) string {
	private, err := newEphemeral(bytes.NewReader(unhex(t, key)))
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(private.PubKey().SerializeUncompressed())
}

// TestEphemeralKey draws again where a number is no private key, and not for
// ever.
func TestEphemeralKey(t *testing.T) {
	order := "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
	zero := hex.EncodeToString(make([]byte, 32))
	key, err := newEphemeral(bytes.NewReader(unhex(t, order+zero+hostKey1)))
	if err != nil || hex.EncodeToString(key.Serialize()) != hostKey1 {
		t.Errorf("%v", err)
	}
	if _, err := newEphemeral(bytes.NewReader(make([]byte, 1000))); err == nil {
		t.Error("zeros for ever")
	}
	if _, err := newEphemeral(bytes.NewReader(nil)); err == nil {
		t.Error("no random numbers")
	}
}

// TestSealBounds: the longest inner command the card takes, and one more.
func TestSealBounds(t *testing.T) {
	c, err := newChannel(bytes.Repeat([]byte{1}, 32), rand.NewChaCha8([32]byte{4}))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 11, 12, 153, 154} {
		command, err := c.seal(apdu.Command{CLA: cla, Data: make([]byte, size)})
		if err != nil || len(command) > 5+apdu.MaxData {
			t.Errorf("%d bytes: %d, %v", size, len(command), err)
		}
	}
	if _, err := c.seal(apdu.Command{CLA: cla, Data: make([]byte, 155)}); err != errInnerTooLong {
		t.Error(err)
	}
	c.counter = 1<<32 - 3
	if _, err := c.seal(apdu.Command{CLA: cla}); err == nil {
		t.Error("the counter went round")
	}
}
