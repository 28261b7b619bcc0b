// SPDX-License-Identifier: Apache-2.0
#include "valid_copy.h"
#include "valid_places.h"
#include "valid_texts.h"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace ebpfd {
namespace {

namespace fs = std::filesystem;
using Key = ValidTexts::Key;

const Key key{FolderKind::policy, "/p/a b\n\xff.yaml"};

class ValidTextsTest : public testing::Test {
protected:
    ValidTextsTest()
    {
        std::string name = (fs::temp_directory_path() / "ebpfd-valid-XXXXXX").string();
        dir_ = mkdtemp(name.data());
    }
    ~ValidTextsTest() override { fs::remove_all(dir_); }

    ValidTexts open() const
    {
        auto texts = ValidTexts::open(dir_ + "/valid");
        EXPECT_TRUE(texts) << texts.error().message;
        return std::move(*texts);
    }
    void write(const std::string& text) const
    {
        ValidTexts texts = open();
        texts.keep(key, text);
        texts.write_all();
        EXPECT_FALSE(texts.due());
    }
    std::string file() const { return dir_ + "/valid/" + valid_name(key); }
    mode_t mode(const std::string& path) const
    {
        struct stat status {};
        EXPECT_EQ(stat(path.c_str(), &status), 0);
        return status.st_mode & 07777;
    }
    ino_t inode() const
    {
        struct stat status {};
        EXPECT_EQ(stat(file().c_str(), &status), 0);
        return status.st_ino;
    }

    std::string dir_;
};

TEST_F(ValidTextsTest, TextsOutliveTheirWriter)
{
    write("text\n\0with a zero");
    write(std::string("second\0text", 11));
    EXPECT_EQ(open().text(key), std::string("second\0text", 11));
    EXPECT_EQ(open().text({FolderKind::inventory, key.second}), std::nullopt);
    EXPECT_EQ(mode(dir_ + "/valid"), 0700U);
    EXPECT_EQ(mode(file()), 0600U);
}

TEST_F(ValidTextsTest, NothingIsWrittenBeforeThereIsTime)
{
    ValidTexts texts = open();
    texts.keep(key, "text");
    EXPECT_TRUE(texts.due());
    EXPECT_FALSE(fs::exists(file()));
    texts.write_next();
    EXPECT_FALSE(texts.due());
    EXPECT_TRUE(fs::exists(file()));
}

TEST_F(ValidTextsTest, SameTextIsNotWrittenAgain)
{
    write("text");
    const ino_t before = inode();
    write("text");
    EXPECT_EQ(inode(), before);
    const Fd held(::open(file().c_str(), O_RDONLY | O_CLOEXEC));
    write("TEXT");
    EXPECT_NE(inode(), before);
}

TEST_F(ValidTextsTest, DroppedTextsAreGone)
{
    write("text");
    ValidTexts texts = open();
    texts.keep(key, "newer");
    texts.drop(key);
    texts.write_all();
    EXPECT_EQ(texts.text(key), std::nullopt);
    EXPECT_TRUE(fs::is_empty(dir_ + "/valid"));
}

TEST_F(ValidTextsTest, DamagedCopiesAreIgnored)
{
    write("text");
    fs::resize_file(file(), fs::file_size(file()) - 1);
    EXPECT_EQ(open().text(key), std::nullopt);
    write("text");
    std::ofstream(file(), std::ios::in | std::ios::ate) << "more";
    EXPECT_EQ(open().text(key), std::nullopt);
    write("text");
    fs::resize_file(file(), 10);
    EXPECT_TRUE(open().copies().empty());
    std::ofstream(file(), std::ios::trunc) << "ebpfd-valid-1 policy 99999999999 1 1\n/p\n";
    EXPECT_TRUE(open().copies().empty());
    // A copy under another's name.
    write("text");
    fs::rename(file(), dir_ + "/valid/policy-0000000000000000");
    EXPECT_TRUE(open().copies().empty());
}

TEST_F(ValidTextsTest, FailureToWriteIsTriedAgainWhenAsked)
{
    ValidTexts texts = open();
    fs::create_directories(dir_ + "/valid/.next");
    texts.keep(key, "text");
    texts.write_all();
    EXPECT_FALSE(texts.due()) << "not at once";
    EXPECT_NE(texts.error().find("Is a directory"), std::string::npos) << texts.error();
    fs::remove(dir_ + "/valid/.next");
    texts.retry();
    EXPECT_TRUE(texts.due());
    texts.write_all();
    EXPECT_EQ(texts.text(key), "text");
    EXPECT_EQ(texts.error(), "");
}

TEST_F(ValidTextsTest, PlacesOutliveTheirWriterOnceAllCopiesAreThere)
{
    const ValidTexts::Places places{
        {{FolderKind::policy, "/p/a b\n\xff"}, {.device = 1, .inode = UINT64_MAX, .born_ns = -3}},
        {{FolderKind::inventory, "/i"}, {}}};
    ValidTexts texts = open();
    texts.keep(key, "text");
    texts.set_places(places);
    texts.write_next();
    EXPECT_TRUE(open().places().empty());
    texts.write_next();
    EXPECT_FALSE(texts.due());
    EXPECT_EQ(open().places(), places);
}

TEST_F(ValidTextsTest, DamagedPlacesAreIgnored)
{
    const std::string good = text_of({{{FolderKind::policy, "/p"}, {.inode = 7}}});
    EXPECT_TRUE(parse_places(good));
    for (size_t length = 0; length < good.size(); ++length)
        EXPECT_FALSE(parse_places(good.substr(0, length))) << length;
    EXPECT_FALSE(parse_places(good + "more"));
    const std::string body = "policy 1 1 1 99\n/p\n";
    EXPECT_FALSE(parse_places("ebpfd-folders-1 1 " + std::to_string(hash_of(body)) + "\n" + body));
    (void)open();
    std::ofstream(dir_ + "/valid/.folders") << good << "more";
    EXPECT_TRUE(open().places().empty());
}

TEST_F(ValidTextsTest, FolderMustBeAFolder)
{
    std::ofstream(dir_ + "/valid");
    EXPECT_FALSE(ValidTexts::open(dir_ + "/valid"));
}

} // namespace
} // namespace ebpfd
