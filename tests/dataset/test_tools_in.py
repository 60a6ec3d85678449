"""Labels that come from annotation tools: Label Studio, CVAT, VOC, CSV, YOLO, Collect Earth Online."""

import json
from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

from exchange import TILES, UTM, frame, on, sample
from geolabel.dataset.about import About
from geolabel.dataset.formats import rle
from geolabel.dataset.formats.ceo import first_answers
from geolabel.dataset.formats.pixels import traced
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.registry import Writing, read, write
from geolabel.errors import GeolabelWarning, InputError, OntologyError, TableError
from geolabel.shapes import rasterise

GRIDS = {"scene.tif": UTM}


def pixels(back, n=0):
    """A label of `UTM` in its pixels (30 m, x right, y down)."""
    x, y = UTM.bounds[0], UTM.bounds[3]
    return shapely.transform(back.geometry.iloc[n], lambda p: (p - (x, y)) / (30, -30))


def same(one, other):
    return one.normalize().equals_exact(other.normalize(), 1e-9)


def looked(back):
    return [(look.image, look.annotator, look.outcome) for look in back.attrs["looked"]]


# ---------------------------------------------------------------------- Label Studio
def region(kind, value, *, key="r1", name="burned", **more):
    size = {"original_width": 64, "original_height": 64, "image_rotation": 0}
    value = {**value, kind: [name]} if name else value
    return {"id": key, "from_name": "label", "to_name": "image", "type": kind, **size, "value": value, **more}


def annotation(*result, **more):
    head = {"id": 1001, "completed_by": 7, "created_at": "2021-03-09T22:16:08.728353Z", "lead_time": 4.288}
    return {**head, "was_cancelled": False, "result": list(result), **more}


def studio(tmp_path, *annotations, image="/data/upload/3/8f1c2ab9-scene.tif", **told):
    path = tmp_path / "export.json"
    task = {"id": 1, "data": {"image": image}, "annotations": list(annotations), "predictions": [{"result": []}]}
    path.write_text(json.dumps([task]), encoding="utf-8")
    return read(path, "label-studio", told=Told(**{"grids": GRIDS, **told}))


def test_a_polygon_in_percent_with_who_and_when(tmp_path):
    points = [[12.5, 25.0], [50.0, 25.0], [50.0, 75.0]]
    back = studio(tmp_path, annotation(region("polygonlabels", {"points": points, "closed": True})))
    assert same(pixels(back), shapely.Polygon([(8, 16), (32, 16), (32, 48)]))
    row = back.iloc[0]
    assert (row["label_id"], row["class"], row["annotator"]) == ("1001/r1", "burned", "person:7")
    assert row["labeled_at"] == datetime(2021, 3, 9, 22, 16, 8, 728353, UTC)
    [look] = back.attrs["looked"]
    assert (look.at, look.active_s) == (row["labeled_at"], 4.288)


def test_a_rectangle_turns_clockwise_about_its_upper_left_corner(tmp_path):
    value = {"x": 50, "y": 25, "width": 12.5, "height": 6.25}
    back = studio(tmp_path, annotation(region("rectanglelabels", {**value, "rotation": 0})))
    assert same(pixels(back), shapely.box(32, 16, 40, 20))
    turned = studio(tmp_path, annotation(region("rectanglelabels", {**value, "rotation": 90})))
    assert same(pixels(turned), shapely.box(28, 16, 32, 24))


def test_an_ellipse_is_its_area(tmp_path):
    value = {"x": 50, "y": 50, "radiusX": 12.5, "radiusY": 6.25, "rotation": 90}
    back = studio(tmp_path, annotation(region("ellipselabels", value)))
    assert pixels(back).area == pytest.approx(np.pi * 8 * 4, rel=0.002)
    assert pixels(back).bounds == pytest.approx((28, 24, 36, 40))


PACKED = [0, 0, 0, 96, 57, 27, 254, 31, 0, 143, 254, 48, 8, 255, 237, 128, 91, 255, 195, 96, 0]
"""What label-studio-converter 0.0.59 makes of a mask of 4 x 6: rows 1 and 2, columns 2 to 4, without (1, 3)."""


def test_a_brush_is_what_label_studios_own_converter_packed():
    mask = np.zeros((4, 6), bool)
    mask[1:3, 2:5], mask[1, 3] = True, False
    np.testing.assert_array_equal(rle.brush(PACKED, (4, 6)), mask)


def packed(mask, width=8, lengths=(3, 4, 8, 16)):
    """A brush: one run a row of the pixels' bytes, repeated where all are equal, else one by one."""
    rgba = np.repeat(np.asarray(mask, int).ravel() * 255, 4)
    bits = f"{rgba.size:032b}{width - 1:05b}" + "".join(f"{n - 1:04b}" for n in lengths)
    for run in np.array_split(rgba, max(1, rgba.size // 200)):
        equal = len(set(run)) == 1
        bits += f"{int(equal)}{3:02b}{len(run) - 1:0{lengths[3]}b}"
        bits += "".join(f"{v:0{width}b}" for v in (run[:1] if equal else run))
    bits += "0" * (-len(bits) % 8)
    return [int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)]


def test_a_brush_keeps_its_hole(tmp_path):
    mask = np.zeros((64, 64), bool)
    mask[10:40, 5:30], mask[20:25, 10:20] = True, False
    back = studio(tmp_path, annotation(region("brushlabels", {"format": "rle", "rle": packed(mask)})))
    np.testing.assert_array_equal(rasterise(back, UTM) > 0, mask)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (packed(np.zeros((8, 8))), "256 values for an image of 64 x 64"),
        (packed(np.zeros((64, 64)))[:12], "middle of a run"),
        ([300], "no bytes"),
    ],
)
def test_a_brush_of_another_image_or_cut_short_is_refused(tmp_path, values, words):
    with pytest.raises(InputError, match=words):
        studio(tmp_path, annotation(region("brushlabels", {"rle": values})))


def test_who_looked_and_found_nothing_counts_and_who_skipped_is_told_apart(tmp_path):
    box = region("rectanglelabels", {"x": 0, "y": 0, "width": 50, "height": 50})
    by = {"id": 9, "email": "ann@example.org", "first_name": "Ann"}
    back = studio(
        tmp_path,
        annotation(box),
        annotation(id=1002, completed_by=by),
        annotation(box, id=1003, completed_by=8, was_cancelled=True),
    )
    assert len(back) == 1
    assert looked(back) == [
        ("scene.tif", "person:7", "labeled"),
        ("scene.tif", "person:9", "empty"),
        ("scene.tif", "person:8", "skipped"),
    ]


def test_what_else_is_said_of_a_region_is_kept(tmp_path):
    value = {"x": 0, "y": 0, "width": 50, "height": 50}
    more = [
        {"id": "r1", "from_name": "fuel", "type": "choices", "value": {**value, "choices": ["dry"]}},
        {"id": "r1", "from_name": "note", "type": "textarea", "value": {**value, "text": ["am Hang"]}},
    ]
    back = studio(tmp_path, annotation(region("rectanglelabels", value), *more))
    assert json.loads(back["attributes"].iloc[0]) == {"fuel": ["dry"], "note": ["am Hang"]}


def test_labels_apart_from_their_shape_are_joined_by_the_regions_id(tmp_path):
    value = {"points": [[0, 0], [50, 0], [50, 50]]}
    back = studio(tmp_path, annotation(region("polygon", value, name=None), region("labels", value, name="water")))
    assert back["class"].tolist() == ["water"]


def test_what_has_no_area_is_counted_not_dropped_in_silence(tmp_path):
    point = region("keypointlabels", {"x": 5, "y": 5, "width": 1})
    line = region("polygonlabels", {"points": [[0, 0], [50, 50]]}, key="r2")
    unfinished = region("polygonlabels", {"points": [[0, 0], [9, 0], [9, 9]], "closed": False}, key="r3")
    turned = {**region("rectanglelabels", {"x": 0, "y": 0, "width": 9, "height": 9}, key="r4"), "image_rotation": 90}
    words = (
        r"1 keypoint regions \(no area\), 1 polygons that were not closed, "
        r"1 regions on an image that was turned in the tool, 1 regions without area"
    )
    with pytest.warns(GeolabelWarning, match=words):
        back = studio(tmp_path, annotation(point, line, unfinished, turned))
    assert looked(back) == [("scene.tif", "person:7", "unsure")]  # not empty: something was drawn


def test_another_export_of_label_studio_is_refused(tmp_path):
    (tmp_path / "min.json").write_text('[{"image": "a.png", "label": []}]')
    with pytest.raises(InputError, match="no annotations of tasks"):
        read(tmp_path / "min.json", "label-studio", told=Told(grids=GRIDS))


def test_an_image_that_was_resized_is_refused(tmp_path):
    small = {**region("rectanglelabels", {"x": 0, "y": 0, "width": 50, "height": 50}), "original_width": 32}
    with pytest.raises(InputError, match="64 x 32 pixels"):
        studio(tmp_path, annotation(small))


# ---------------------------------------------------------------------- CVAT
def cvat(tmp_path, shapes, *, head="", size=64):
    path = tmp_path / "annotations.xml"
    image = f'<image id="0" name="scene.tif" width="{size}" height="64">{shapes}</image>'
    path.write_text(
        f'<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version>{head}{image}</annotations>'
    )
    return read(path, "cvat", told=Told(grids=GRIDS))


def test_a_polygon_with_attributes(tmp_path):
    inside = '<attribute name="severity seen">high</attribute><attribute name="sure"></attribute>'
    points = "8.00,16.00;32.50,16.00;32.50,48.25"
    back = cvat(
        tmp_path,
        f'<polygon label="burned" source="manual" occluded="0" points="{points}" z_order="0">{inside}</polygon>',
    )
    assert same(pixels(back), shapely.Polygon([(8, 16), (32.5, 16), (32.5, 48.25)]))
    assert json.loads(back["attributes"].iloc[0]) == {"severity seen": "high", "sure": ""}
    assert back["label_id"].tolist() == ["scene/1"]
    assert back["annotator"].isna().all()


def test_a_box_turns_clockwise_about_its_centre(tmp_path):
    box = '<box label="building" xtl="10" ytl="10" xbr="18" ybr="14" rotation="{}"/>'
    assert same(pixels(cvat(tmp_path, box.format("0.0"))), shapely.box(10, 10, 18, 14))
    assert same(pixels(cvat(tmp_path, box.format("90"))), shapely.box(12, 8, 16, 16))
    tilted = pixels(cvat(tmp_path, box.format("30")))
    right = max(tilted.exterior.coords, key=lambda p: p[0])
    assert right[1] > 12  # the right end goes down: clockwise as one sees it


def test_a_mask_is_run_lengths_along_the_rows_of_its_window(tmp_path):
    """Three rows of four: the first and last full, the middle one with a hole of two."""
    mask = '<mask label="burned" rle="0, 5, 2, 5" left="20" top="30" width="4" height="3"/>'
    want = shapely.box(20, 30, 24, 33) - shapely.box(21, 31, 23, 32)
    assert pixels(cvat(tmp_path, mask)).equals(want)


def test_an_ellipse_and_a_group(tmp_path):
    back = cvat(tmp_path, '<ellipse label="tank" cx="20" cy="30" rx="5" ry="5" group_id="4"/>')
    assert pixels(back).area == pytest.approx(np.pi * 25, rel=0.002)
    assert json.loads(back["attributes"].iloc[0]) == {"group_id": "4"}


def test_lines_and_points_are_counted(tmp_path):
    shapes = '<polyline label="road" points="1,1;9,9"/><points label="tower" points="4,4"/><tag label="burned"/>'
    words = r"1 points shapes \(no area\), 1 polyline shapes \(no area\), 1 tag elements"
    with pytest.warns(GeolabelWarning, match=words):
        back = cvat(tmp_path, shapes)
    assert looked(back) == [("scene.tif", None, "unsure")]


def test_an_image_without_shapes_was_looked_at_and_needs_no_place(tmp_path):
    assert looked(cvat(tmp_path, "", size=99)) == [("scene.tif", None, "empty")]


def test_tracks_of_a_video_are_refused_with_the_way_out(tmp_path):
    with pytest.raises(InputError, match=r"1 tracks of a video(.|\n)*CVAT for images 1.1"):
        cvat(tmp_path, "", head='<track id="0" label="burned"><box frame="0" xtl="1" ytl="1" xbr="2" ybr="2"/></track>')


BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "lol"><!ENTITY y "&x;&x;&x;">]><annotations>&y;</annotations>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><annotation><filename>&x;</filename></annotation>'


@pytest.mark.parametrize("text", [BOMB, OUTSIDE])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", ["cvat", "voc"])
def test_xml_that_declares_entities_is_refused(tmp_path, text, encoding, name):
    path = tmp_path / "a.xml"
    path.write_bytes(text.replace('<?xml version="1.0"?>', "").encode(encoding))
    with pytest.raises(InputError, match="document type"):
        read(path, name, told=Told(grids=GRIDS))


# ---------------------------------------------------------------------- VOC
VOC = """<annotation><filename>scene.tif</filename><size><width>64</width><height>64</height><depth>3</depth></size>
<object><name>building</name><pose>Left</pose><difficult>1</difficult><truncated>0</truncated>
<bndbox><xmin>4</xmin><ymin>6</ymin><xmax>14</xmax><ymax>9</ymax></bndbox></object>{}</annotation>"""


def voc(tmp_path, more="", text=VOC):
    (tmp_path / "a.xml").write_text(text.format(more))
    return read(tmp_path / "a.xml", "voc", told=Told(grids=GRIDS))


def test_a_box_of_voc_with_its_marks(tmp_path):
    back = voc(tmp_path)
    assert same(pixels(back), shapely.box(4, 6, 14, 9))
    assert json.loads(back["attributes"].iloc[0]) == {"difficult": True, "pose": "Left"}


def test_objects_without_a_box_or_without_area_are_counted(tmp_path):
    flat = "<bndbox><xmin>4</xmin><ymin>6</ymin><xmax>4</xmax><ymax>9</ymax></bndbox>"
    with pytest.warns(GeolabelWarning, match="1 boxes without area, 1 objects without a box"):
        assert len(voc(tmp_path, f"<object><name>road</name></object><object><name>road</name>{flat}</object>")) == 1


def test_a_folder_of_voc_files_is_one_table_and_empty_ones_count(tmp_path):
    voc(tmp_path)
    (tmp_path / "b.xml").write_text("<annotation><filename>other.tif</filename></annotation>")
    back = read(tmp_path, "voc", told=Told(grids={**GRIDS, "other.tif": UTM}))
    assert looked(back) == [("scene.tif", None, "labeled"), ("other.tif", None, "empty")]
    with pytest.raises(InputError, match="no VOC annotation"):
        voc(tmp_path, text="<annotations/>")


# ---------------------------------------------------------------------- CSV
def boxes(tmp_path, text, **told):
    path = tmp_path / "boxes.csv"
    path.write_text(text)
    return read(path, "csv-boxes", told=Told(**{"grids": GRIDS, "classes": {"Tree": "forest"}, **told}))


@pytest.mark.parametrize(
    "text",
    [
        "image_path,xmin,ymin,xmax,ymax,label\nscene.tif,4,6,14,9,Tree\n",
        "label,score,x1,y1,x2,y2,filename\nTree,.5,4,6,14,9,images/scene.tif\n",
        "scene.tif,4,6,14,9,Tree\n",
        "\ufeffImage,Left,Top,Right,Bottom,Class\nscene.png,14,9,4,6,Tree\n",
    ],
)
def test_boxes_by_the_names_that_tools_give_them(tmp_path, text):
    back = boxes(tmp_path, text)
    assert same(pixels(back), shapely.box(4, 6, 14, 9))
    assert back["class"].tolist() == ["forest"]
    assert back["label_id"].tolist() == ["scene/1"]


def test_other_columns_of_labels_are_kept(tmp_path):
    text = (
        "image,xmin,ymin,xmax,ymax,name,label_id,annotator,labeled_at,score\n"
        "scene.tif,4,6,14,9,Tree,tree-1,person:ann,2024-07-01T12:30:15.5Z,.25\n"
    )
    row = boxes(tmp_path, text).iloc[0]
    assert (row["label_id"], row["annotator"], row["confidence"]) == ("tree-1", "person:ann", 0.25)
    assert row["labeled_at"] == datetime(2024, 7, 1, 12, 30, 15, 500_000, UTC)


@pytest.mark.parametrize("sides", [",,,", "0,0,0,0"])
def test_a_row_without_a_box_says_that_nothing_was_found(tmp_path, sides):
    back = boxes(tmp_path, f"image_path,xmin,ymin,xmax,ymax,label\nscene.tif,{sides},Tree\n")
    assert len(back) == 0
    assert looked(back) == [("scene.tif", None, "empty")]


def test_columns_that_are_called_otherwise_are_told(tmp_path):
    text = "tile,w,n,e,s,what\nscene.tif,4,6,14,9,Tree\n"
    with pytest.raises(TableError, match="no column for image, left, top, right, bottom"):
        boxes(tmp_path, text)
    fields = {"image": "tile", "left": "w", "top": "n", "right": "e", "bottom": "s", "class": "what"}
    assert same(pixels(boxes(tmp_path, text, fields=fields)), shapely.box(4, 6, 14, 9))


def test_a_class_of_theirs_needs_a_class_of_ours(tmp_path):
    with pytest.raises(OntologyError, match="Tree"):
        boxes(tmp_path, "scene.tif,4,6,14,9,Tree\n", classes={})


# ---------------------------------------------------------------------- YOLO
def yolo(tmp_path, line, names="names: [water, burned]"):
    (tmp_path / "labels").mkdir(exist_ok=True)
    (tmp_path / "data.yaml").write_text(names)
    (tmp_path / "labels" / "scene.txt").write_text(line)
    return read(tmp_path, "yolo", told=Told(grids=GRIDS))


@pytest.mark.parametrize(
    ("line", "confidence"),
    [
        ("1 .0625 .125 .25 .125 .25 .25 .0625 .25", None),  # a polygon
        ("1 .15625 .1875 .1875 .125", None),  # centre, width, height
        ("1 .15625 .1875 .1875 .125 .75", 0.75),  # a predicted box
        ("1 .0625 .125 .25 .125 .25 .25 .0625 .25 .75\n\n", 0.75),  # a predicted polygon
    ],
)
def test_lines_of_yolo(tmp_path, line, confidence):
    back = yolo(tmp_path, line)
    assert same(pixels(back), shapely.box(4, 8, 16, 16))
    assert back["class"].tolist() == ["burned"]
    assert back["confidence"].tolist() == pytest.approx([np.nan if confidence is None else confidence], nan_ok=True)


def test_yolo_files_are_laid_out_for_training(tmp_path):
    about = About(split={"0_0": "train", "0_32": "val", "32_0": "test", "32_32": "train"})
    folder = write(sample(), tmp_path / "y", "yolo", writing=Writing(tiles=TILES, about=about), lossy=True)
    there = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    labels = ["labels/test/32_0.txt", "labels/train/0_0.txt", "labels/train/32_32.txt", "labels/val/0_32.txt"]
    assert there == ["data.yaml", "geolabel.json", *labels]
    values = [float(v) for line in (folder / labels[1]).read_text().splitlines() for v in line.split()[1:]]
    assert 0 <= min(values) <= max(values) <= 1
    with pytest.raises(InputError, match="split 'dev'"):
        write(
            sample(),
            tmp_path / "z",
            "yolo",
            writing=Writing(tiles=TILES, about=About(split={"0_0": "dev"})),
            lossy=True,
        )
    assert not (tmp_path / "z").exists()


def test_an_image_where_nothing_was_found_has_an_empty_file(tmp_path):
    one = frame([{"label_id": "a", "class": "forest", "geometry": on(UTM, shapely.box(1, 1, 9, 9))}])
    folder = write(one, tmp_path / "y", "yolo", writing=Writing(tiles=TILES), lossy=("ids",))
    assert (folder / "labels/train/32_0.txt").read_text() == ""
    back = read(folder, "yolo")
    assert same(pixels(back), shapely.box(1, 1, 9, 9))
    assert [look[2] for look in looked(back)] == ["labeled", "empty", "empty", "empty"]


@pytest.mark.parametrize(
    ("line", "names", "words"),
    [
        ("1 .1 .2 .3", "names: [a, b]", "line 1: '1 .1 .2 .3' is no label"),
        ("5 .1 .2 .3 .4", "names: {0: water}", "line 1: class 5"),
        ("0 .1 .2 .3 .4", "nc: 1", "no names of classes"),
    ],
)
def test_what_is_no_yolo_is_refused(tmp_path, line, names, words):
    with pytest.raises(InputError, match=words):
        yolo(tmp_path, line, names)


# ---------------------------------------------------------------------- Collect Earth Online
HEAD = (
    "plotid,sampleid,lon,lat,email,flagged,collection_time,analysis_duration,imagery_title,sample_geom,pl_zone,Burned?"
)
ROWS = [
    "1,10,-118.2,34.3,ann@example.org,False,2023-12-18 19:48,61.6 secs,Planet,POINT(-118.2 34.3),north,yes",
    "2,11,-118.1,34.3,bob@example.org,False,2023-12-18 19:50,1.5 secs,,POINT(-118.1 34.3),north,no",
    "2,11,-118.1,34.3,ann@example.org,False,2023-12-18 19:58,2.5 secs,,POINT(-118.1 34.3),north,yes",
    "3,12,-118.0,34.3,ann@example.org,True,2023-12-18 19:59,3.5 secs,,POINT(-118.0 34.3),north,",
    "4,13,-118.0,34.4,ann@example.org,False,2023-12-18 20:01,3.5 secs,,POINT(-118.0 34.4),north,",
]


def ceo(tmp_path, rows=ROWS, head=HEAD, **told):
    path = tmp_path / "ceo.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    classes = {"yes": "burned", "no": "unburned"}
    return read(path, "ceo", told=Told(**{"classes": classes, "values": {"size_m": 30}, **told}))


def test_a_sample_that_is_a_point_is_a_box_of_the_told_size(tmp_path):
    back = ceo(tmp_path)
    west, south, east, north = back.geometry.iloc[0].bounds
    geod = Geod(ellps="GRS80")
    assert geod.inv(west, 34.3, east, 34.3)[2] == pytest.approx(30, abs=1e-3)
    assert geod.inv(-118.2, south, -118.2, north)[2] == pytest.approx(30, abs=1e-3)
    assert back.crs == "EPSG:4326"
    with pytest.raises(InputError, match="sample 1/10 is a point"):
        ceo(tmp_path, values={})


def test_a_sample_that_is_a_polygon_is_itself(tmp_path):
    there = ROWS[0].replace("POINT(-118.2 34.3)", '"POLYGON((0 0,0 1,1 1,0 0))"')
    assert ceo(tmp_path, [there], values={}).geometry.iloc[0].area == 0.5


def test_second_answers_are_kept_under_ids_of_their_own(tmp_path):
    back = ceo(tmp_path)
    assert back["label_id"].tolist() == ["1/10", "2/11", "2/11#2"]
    assert back["class"].tolist() == ["burned", "unburned", "burned"]
    assert first_answers(back)["label_id"].tolist() == ["1/10", "2/11"]
    assert back["annotator"].tolist()[0] == "person:ann@example.org"


def test_answers_without_a_class_are_unsure_or_skipped(tmp_path):
    back = ceo(tmp_path)
    assert [(look.image, look.outcome, look.active_s) for look in back.attrs["looked"]] == [
        ("1/10", "labeled", 61.6),
        ("2/11", "labeled", 1.5),
        ("2/11#2", "labeled", 2.5),
        ("3/12", "skipped", 3.5),
        ("4/13", "unsure", 3.5),
    ]


def test_times_without_a_zone_are_utc_unless_told(tmp_path):
    assert ceo(tmp_path)["labeled_at"].iloc[0] == datetime(2023, 12, 18, 19, 48, tzinfo=UTC)
    there = ceo(tmp_path, tz="Africa/Khartoum")["labeled_at"].iloc[0]
    assert there == datetime(2023, 12, 18, 17, 48, tzinfo=UTC)


def test_which_question_gives_the_class_is_asked_where_there_are_several(tmp_path):
    two = HEAD + ",Sure?"
    rows = [f"{row},{'very' if n == 0 else ''}" for n, row in enumerate(ROWS[:2])]
    with pytest.raises(TableError, match=r"\['Burned\?', 'Sure\?'\]"):
        ceo(tmp_path, rows, two)
    back = ceo(tmp_path, rows, two, fields={"class": "Burned?"})
    assert json.loads(back["attributes"].iloc[0]) == {"Sure?": "very", "imagery_title": "Planet", "pl_zone": "north"}


# ---------------------------------------------------------------------- all of them
@pytest.mark.parametrize("name", ["coco", "voc", "cvat", "label-studio"])
def test_a_damaged_file_is_named(tmp_path, name):
    (tmp_path / "a.dat").write_text('{"images": [')
    with pytest.raises(InputError, match=r"a\.dat is no (JSON|XML)"):
        read(tmp_path / "a.dat", name)


def test_masks_of_all_tools_are_one_mask(tmp_path):
    """The same pixels as COCO, CVAT and Label Studio have them."""
    rng = np.random.default_rng(3)
    mask = rng.random((64, 64)) < 0.6
    shape = traced(mask)
    want = gpd.GeoDataFrame(geometry=[on(UTM, shape)], crs=UTM.crs.to_wkt())
    one = studio(tmp_path, annotation(region("brushlabels", {"rle": packed(mask)})))
    runs = ", ".join(map(str, rle.encode(mask, "C")))
    other = cvat(tmp_path, f'<mask label="burned" rle="{runs}" left="0" top="0" width="64" height="64"/>')
    for back in (one, other, want):
        np.testing.assert_array_equal(rasterise(back, UTM) > 0, mask)
