// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace ebpfd {

// A list that its copies share: a copy costs next to nothing, and is known at a glance to be the
// same. Who changes a list that others have gets one of its own.
template <class T> class SharedList {
public:
    SharedList() = default;
    SharedList(std::vector<T> items) : items_(std::make_shared<std::vector<T>>(std::move(items))) {}
    SharedList(std::initializer_list<T> items) : SharedList(std::vector<T>(items)) {}

    operator const std::vector<T>&() const { return all(); }
    const std::vector<T>& all() const
    {
        static const std::vector<T> none;
        return items_ ? *items_ : none;
    }
    auto begin() const { return all().begin(); }
    auto end() const { return all().end(); }
    size_t size() const { return all().size(); }
    bool empty() const { return all().empty(); }
    const T& operator[](size_t index) const { return all()[index]; }
    const T& front() const { return all().front(); }
    const T& back() const { return all().back(); }

    // Until the next copy is made.
    std::vector<T>& edit()
    {
        if (!items_ || items_.use_count() > 1)
            items_ = std::make_shared<std::vector<T>>(all());
        return *items_;
    }
    void push_back(T item) { edit().push_back(std::move(item)); }

    // Whether both are one list; lists that are only equal are not.
    bool is(const SharedList& other) const { return items_ == other.items_; }
    bool operator==(const SharedList& other) const { return is(other) || all() == other.all(); }

private:
    std::shared_ptr<std::vector<T>> items_;
};

// Parts at fixed places, each shared with the lists that have the same one, as copies share the
// list itself. A place may be empty: it reads as a part without content.
template <class T> class PartList {
public:
    using Part = std::shared_ptr<const T>;

    class Iterator {
    public:
        using value_type = T;
        using difference_type = std::ptrdiff_t;
        using reference = const T&;
        using pointer = const T*;
        using iterator_category = std::forward_iterator_tag;
        Iterator() = default;
        Iterator(const PartList* list, size_t index) : list_(list), index_(index) {}
        const T& operator*() const { return std::as_const(*list_)[index_]; }
        const T* operator->() const { return &**this; }
        Iterator& operator++()
        {
            ++index_;
            return *this;
        }
        Iterator operator++(int) { return {list_, index_++}; }
        bool operator==(const Iterator&) const = default;

    private:
        const PartList* list_ = nullptr;
        size_t index_ = 0;
    };

    Iterator begin() const { return {this, 0}; }
    Iterator end() const { return {this, size()}; }
    // Places, empty ones included.
    size_t size() const { return parts_.size(); }
    bool empty() const { return parts_.empty(); }
    size_t count() const
    {
        return static_cast<size_t>(
            std::ranges::count_if(parts_.all(), [](const Part& p) { return !!p; }));
    }
    const T& operator[](size_t index) const
    {
        static const T none{};
        return parts_[index] ? *parts_[index] : none;
    }
    const T& at(size_t index) const { return parts_.all().at(index), (*this)[index]; }
    const T& front() const { return (*this)[0]; }
    const T& back() const { return (*this)[size() - 1]; }
    void clear() { parts_ = {}; }
    // For a change of the part, which becomes this list's own.
    T& edit(size_t index)
    {
        auto own = std::make_shared<T>(std::as_const(*this)[index]);
        T& part = *own;
        parts_.edit()[index] = std::move(own);
        return part;
    }

    const Part& part(size_t index) const { return parts_[index]; }
    void push_back(T part) { parts_.push_back(std::make_shared<const T>(std::move(part))); }
    void put(size_t index, Part part)
    {
        auto& parts = parts_.edit();
        if (index >= parts.size())
            parts.resize(index + 1);
        parts[index] = std::move(part);
    }

    // Whether both are one list; lists that are only equal are not.
    bool is(const PartList& other) const { return parts_.is(other.parts_); }

private:
    SharedList<Part> parts_;
};

} // namespace ebpfd
