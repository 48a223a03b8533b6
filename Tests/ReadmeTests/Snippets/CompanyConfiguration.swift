import GenesysLoop

/// For a gateway with a certificate of the company, behind its proxy.
func companyConfiguration(caFile: String, certificate: String, key: String) throws -> ChannelConfiguration {
    var configuration = ChannelConfiguration()
    configuration.tls.trust = .file(caFile)  // in place of the system's store
    configuration.tls.identity = ClientIdentity(certificate: .file(certificate), key: .file(key))
    configuration.proxy = .url(try ProxyURI("http://user:password@proxy.example:3128"))
    print(try configuration.tls.check())  // reads the files now, and says what is trusted
    return configuration
}
