"""Buckets of S3, by moto's server on this machine: GDAL's own variables say where and with which key."""

import logging

import numpy as np
import pytest

from geolabel.errors import SourceError
from geolabel.scene.open import open_scene
from stac import asset, cog, item

PIXELS = np.arange(600 * 700, dtype=np.uint32).astype(np.uint16).reshape(600, 700)


@pytest.fixture(scope="module")
def s3():
    boto3 = pytest.importorskip("boto3", reason="moto and boto3 are test dependencies")
    server_of = pytest.importorskip("moto.server", reason="moto[server] is a test dependency").ThreadedMotoServer
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = server_of(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="me", aws_secret_access_key="mine"
    )
    client.create_bucket(Bucket="box")
    client.put_object(Bucket="box", Key="deep/a.tif", Body=cog(PIXELS))
    yield client, f"{host}:{port}"
    server.stop()


@pytest.fixture
def keys(s3, monkeypatch):
    values = {"AWS_S3_ENDPOINT": s3[1], "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE", "AWS_ACCESS_KEY_ID": "me",
              "AWS_SECRET_ACCESS_KEY": "mine", "AWS_REGION": "us-east-1", "GDAL_HTTP_RETRY_DELAY": "0.05"}  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_an_object_of_a_bucket_is_read_in_place(keys):
    scene = open_scene("s3://box/deep/a.tif", bands=["red"], at="2023-07-14")
    np.testing.assert_array_equal(scene.read(["red"], slice(100, 300), slice(5, 9))[0], PIXELS[100:300, 5:9])
    assert scene.source == ("a.tif",)


def test_assets_of_an_item_lie_in_a_bucket(keys):
    said = item("x", {"dem": asset("s3://box/deep/a.tif")})
    scene = open_scene(said)
    assert scene.quantity == "elevation_m"
    np.testing.assert_array_equal(scene.read(["elevation"], slice(0, 3), slice(0, 4))[0], PIXELS[:3, :4])


@pytest.mark.parametrize("address", ["s3://box/none.tif", "s3://nobox/a.tif"])
def test_what_is_not_there_is_named(keys, address):
    with pytest.raises(SourceError, match=f"at {address}: it is not there"):
        open_scene(address, bands=["red"], at="2023-07-14")


def test_without_a_key_the_hint_says_how_to_get_one(s3, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_NO_SIGN_REQUEST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_S3_ENDPOINT", s3[1])
    with pytest.raises(SourceError, match="access is denied") as told:
        open_scene("s3://box/deep/other.tif", bands=["red"], at="2023-07-14")
    assert "AWS_NO_SIGN_REQUEST" in told.value.hint


def test_a_public_bucket_is_read_without_a_key(s3, monkeypatch):
    values = {"AWS_S3_ENDPOINT": s3[1], "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE", "AWS_NO_SIGN_REQUEST": "YES"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    assert open_scene("s3://box/deep/a.tif", bands=["red"], at="2023-07-14").grid.shape == (600, 700)


def test_a_presigned_address_is_read_and_its_signature_stays_secret(s3):
    client, _ = s3
    url = client.generate_presigned_url("get_object", Params={"Bucket": "box", "Key": "deep/a.tif"})
    signature = url.partition("Signature=")[2][:12]
    scene = open_scene(url, bands=["red"], at="2023-07-14")
    np.testing.assert_array_equal(scene.read(["red"], slice(0, 3), slice(0, 4))[0], PIXELS[:3, :4])
    assert signature not in repr((scene, scene.source, scene.audit, scene.digest))
