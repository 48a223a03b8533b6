internal import CGenesysLoop

/// Structs that begin with their size, which depends on the version that the program was compiled with.
enum SizedStruct {
    /// A copy of the struct at `pointer`; members that the program does not know are zero.
    ///
    /// - Throws: `CallError`, if the size is invalid, or if members that this version does not know are not zero.
    static func copy<Value>(_ pointer: UnsafePointer<Value>, zero: Value, _ name: String) throws -> Value {
        let known = MemoryLayout<Value>.size
        // The first member is the size in every version.
        let size = unsafe UnsafeRawPointer(pointer).load(as: Int.self)
        guard size >= MemoryLayout<Int>.size, size <= 1 << 16 else {
            throw CallError.argument("struct_size of \(name) is \(size); set it to sizeof the struct")
        }
        // The program's struct, with the size that it states.
        let given = unsafe UnsafeRawBufferPointer(start: pointer, count: size)
        if size > known, unsafe given[known...].contains(where: { $0 != 0 }) {
            throw CallError.argument("\(name) sets members that this version of the library does not know")
        }
        var value = zero
        unsafe withUnsafeMutableBytes(of: &value) { copy in
            unsafe copy.copyMemory(from: UnsafeRawBufferPointer(rebasing: given[..<min(size, known)]))
        }
        return value
    }

    /// Writes the part of `value` that fits into the program's struct; the size member keeps its value.
    static func fill<Value>(_ pointer: UnsafeMutablePointer<Value>, with value: Value, _ name: String) throws {
        let size = unsafe UnsafeRawPointer(pointer).load(as: Int.self)
        guard size >= MemoryLayout<Int>.size, size <= 1 << 16 else {
            throw CallError.argument("struct_size of \(name) is \(size); set it to sizeof the struct")
        }
        let head = MemoryLayout<Int>.size
        unsafe withUnsafeBytes(of: value) { source in
            // The program's struct, with the size that it states.
            let target = unsafe UnsafeMutableRawBufferPointer(start: pointer, count: size)
            for index in head..<size { unsafe target[index] = index < source.count ? source[index] : 0 }
        }
    }
}
